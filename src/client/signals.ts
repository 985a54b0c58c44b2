/**
 * Signals of a remote object: the functions in the `on`, `once` and `watch` namespaces of a proxy. A signal whose values
 * do not have the described types is reported, and reaches only a loose proxy.
 */
import { KnownOptions } from '../base/known-options.js';
import { checkFunction, checkSignal, checkTimeout } from '../base/parameters.js';
import type { SignalTaker } from '../bus/rules/listener.js';
import type { Subscription } from '../bus/rules/subscription.js';
import type { DecodeOptions } from '../codec/decode-options.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import { report } from '../diagnostics/problems.js';
import type { SignalDescription } from '../interface/description.js';
import { abortable } from './abortable.js';
import { misfitText, shapeMisfitText, tellDropped } from './misfits.js';
import { type ListenOnce, nextSignal } from './next-signal.js';
import type { OnceOptions } from './proxy-types.js';
import type { Remote } from './remote.js';
import { decodeShaped } from './shaped-values.js';
import { type ContextOption, contextTable, signalContext } from './signal-context.js';
import { type ListenOn, SignalQueue, type WatchOptions, watchOptions } from './signal-queue.js';

const onOptions = new KnownOptions<ContextOption>('on()', contextTable);
const onceOptions = new KnownOptions<OnceOptions & ContextOption>('once()', {
  timeout: checkTimeout,
  signal: checkSignal,
  ...contextTable,
});

/** See {@link ContextOption}. `false` and `undefined` ask for no context. */
interface MayAskForContext {
  readonly context?: boolean | undefined;
}

/** Gets the values, and the inbox that holds the signal; descriptors are lent to it. */
type TakeValues = (values: unknown[], received: Inbox) => unknown;

/** Decodes signals for one listener. An object and not a closure, because a program may have many thousands. */
export class ValuesTaker implements SignalTaker {
  readonly #remote: Remote;
  readonly #signal: SignalDescription;
  readonly #context: boolean;
  /** The listener of a program, which gets the values as its arguments, or a function that takes them as an array. */
  readonly #listener: ((...values: unknown[]) => unknown) | undefined;
  readonly #take: TakeValues | undefined;

  constructor(
    remote: Remote,
    signal: SignalDescription,
    { context = false }: MayAskForContext,
    listener: ((...values: unknown[]) => unknown) | undefined,
    take: TakeValues | undefined,
  ) {
    this.#remote = remote;
    this.#signal = signal;
    this.#context = context;
    this.#listener = listener;
    this.#take = take;
  }

  take(received: Inbox): unknown {
    const { signature } = received;
    const remote = this.#remote;
    if (signature !== this.#signal.signature && isDropped(remote, this.#signal, signature)) return undefined;
    const { options } = remote;
    if (this.#signal.shapes !== undefined && signature === this.#signal.signature) return this.#takeShaped(received);
    const values = this.#context ? decodeWithContext(received, options) : received.decode(options);
    return this.#deliver(values, received);
  }

  #takeShaped(received: Inbox): unknown {
    const remote = this.#remote;
    const { name, args } = this.#signal;
    const what = `the signal ${remote.description.name}.${name}`;
    const message = this.#context ? received.makeMessage() : undefined;
    let values: unknown[];
    try {
      values = decodeShaped(remote, received, args, what, (misfit, index) => {
        throw new DroppedSignal(shapeMisfitText(args.length === 1 ? what : `${what}[${index}]`, misfit));
      });
    } catch (error) {
      if (!(error instanceof DroppedSignal)) throw error;
      tellDropped(remote, `signal ${name}`, error.text);
      return undefined;
    }
    if (message !== undefined) values.push(signalContext(message));
    return this.#deliver(values, received);
  }

  #deliver(values: unknown[], received: Inbox): unknown {
    const listener = this.#listener;
    return listener === undefined ? this.#take?.(values, received) : listener(...values);
  }
}

/** Thrown for a signal whose dictionaries do not have the described keys. */
class DroppedSignal {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** @param reportsLoss whether the waiting code learns of the loss of the connection by itself */
function takeSignal(remote: Remote, signal: SignalDescription, taker: ValuesTaker, reportsLoss: boolean): Subscription {
  const { bus, description, destination: sender, path } = remote;
  const rule = { sender, path, interface: description.name, member: signal.name };
  return bus.listen(rule, taker, reportsLoss);
}

/**
 * The values, with the context after them. The message is made first, because it exposes the descriptors that no value
 * refers to.
 */
function decodeWithContext(received: Inbox, options: DecodeOptions): unknown[] {
  const message = received.makeMessage();
  const values = received.decode(options);
  values.push(signalContext(message));
  return values;
}

/** Reports a signal that does not have the described types. Returns whether the signal is dropped. */
function isDropped(remote: Remote, { name, signature: described }: SignalDescription, received: string): boolean {
  const { bus, description, options } = remote;
  const text = misfitText(`the signal ${description.name}.${name}`, described, received);
  if (options.loose !== true) tellDropped(remote, `signal ${name}`, text);
  else report('misfit', text, undefined, bus.connectionId);
  return options.loose !== true;
}

export function listen(remote: Remote, signal: SignalDescription) {
  return (listener: (...values: never) => unknown, options: MayAskForContext = {}): Subscription => {
    checkFunction(listener, 'listener');
    onOptions.check(options as ContextOption);
    const tell = listener as (...values: unknown[]) => unknown;
    const subscribe = () =>
      takeSignal(remote, signal, new ValuesTaker(remote, signal, options, tell, undefined), false);
    return abortable(remote.bus, remote.options.signal, subscribe);
  };
}

export function listenOnce(remote: Remote, signal: SignalDescription) {
  return async (options: OnceOptions & MayAskForContext = {}): Promise<never> => {
    onceOptions.check(options as OnceOptions & ContextOption);
    const listenFor: ListenOnce = (listener) =>
      takeSignal(
        remote,
        signal,
        new ValuesTaker(remote, signal, options, undefined, (values, received) => {
          received.keepDescriptors();
          listener(values);
        }),
        true,
      );
    const abort = options.signal === undefined ? remote.options.signal : options.signal;
    // Only the caller knows the types of the values.
    const which = `${remote.description.name}.${signal.name}`;
    return (await nextSignal(remote.bus, listenFor, { which, timeout: options.timeout, signal: abort })) as never;
  };
}

export function watch(remote: Remote, signal: SignalDescription) {
  return (options: WatchOptions & MayAskForContext = {}): never => {
    watchOptions.check(options as WatchOptions & ContextOption);
    const take: ListenOn = (listener) =>
      takeSignal(
        remote,
        signal,
        new ValuesTaker(remote, signal, options, undefined, (values, received) =>
          listener(values, received.keepCountedDescriptors()),
        ),
        true,
      );
    const abort = options.signal === undefined ? remote.options.signal : options.signal;
    const which = `${remote.description.name}.${signal.name}`;
    return new SignalQueue(remote.bus, which, take, { limit: options.limit, signal: abort }) as never;
  };
}
