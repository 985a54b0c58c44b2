/** Typed signals of an interface from any number of senders and objects. */
import { InvalidArgumentError } from '../base/errors.js';
import { KnownOptions, unknownKey } from '../base/known-options.js';
import { checkFunction, checkObject, oneOf } from '../base/parameters.js';
import type { SubscriptionRule } from '../bus/bus.js';
import { type Subscription, SubscriptionHandle } from '../bus/rules/subscription.js';
import { VARIANTS } from '../codec/decoder.js';
import type { InterfaceDescription } from '../interface/description.js';
import type { VariantChoice } from '../signature/types.js';
import type { Aliases, ProxyBus } from './remote.js';
import { ValuesTaker } from './signals.js';

/** Which signals are delivered. Each key narrows it; without any, those of all senders and objects are. */
export type SignalsRule = Omit<SubscriptionRule, 'interface' | 'member'>;

/** How the arguments of these signals are read. */
export interface SignalsOptions<V extends VariantChoice | undefined = VariantChoice | undefined> {
  /** How variants are read: `'plain'` (the default), `'wrap'` or `'keep'`, as {@link ProxyOptions.variants} describes them. */
  readonly variants?: V;
}

const signalsOptions = new KnownOptions<SignalsOptions>('signals()', { variants: oneOf(VARIANTS) });

type Listener = (...values: unknown[]) => unknown;

/**
 * Subscribes a function to each of some signals.
 *
 * @param loose whether values of every type are accepted
 * @throws {@link InvalidArgumentError} if the rule or an option is not valid, or the interface has no such signal
 */
export function signalsOfMany(
  bus: ProxyBus,
  description: InterfaceDescription,
  aliases: () => Aliases,
  loose: boolean,
  rule: SignalsRule,
  listeners: Readonly<Record<string, unknown>>,
  options: SignalsOptions,
): Subscription {
  checkObject(rule, 'rule');
  signalsOptions.check(options);
  for (const key of ['interface', 'member']) {
    if (key in rule) throw new InvalidArgumentError(`rule: "${key}" cannot be given: the description names it`);
  }
  checkObject(listeners, 'listeners');
  const chosen = Object.entries(listeners).filter(([, listener]) => listener !== undefined);
  const named = chosen.map(([name, listener]) => {
    checkFunction(listener, name);
    const signal = description.signals.get(aliases().get(`signal ${name}`) ?? name);
    if (signal === undefined) throw unknownKey('signals()', 'signal', name, description.signals.keys());
    return { signal, listener: listener as Listener };
  });
  const { sender, path = rule.pathNamespace ?? '/' } = rule;
  const reading = { loose, variants: options.variants };
  const remote = { bus, description, destination: sender, path, aliases, options: reading, told: new Set<string>() };
  const subscriptions = named.map(({ signal, listener }) =>
    bus.listen(
      { ...rule, interface: description.name, member: signal.name },
      new ValuesTaker(remote, signal, { context: true }, listener, undefined),
    ),
  );
  const outcome = {
    get ready(): Promise<void> {
      return Promise.all(subscriptions.map(({ ready }) => ready)).then(() => {});
    },
  };
  return new SubscriptionHandle(`signals of ${description.name}`, outcome, () => {
    for (const subscription of subscriptions) subscription.end();
  });
}
