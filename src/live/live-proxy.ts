/**
 * A proxy that also has the present values of its object's properties. Its calls go to the service as those of every
 * proxy; its values come from the view that it belongs to.
 */
import { inspect } from 'node:util';
import { EndHandle, type Handle } from '../base/handle.js';
import { checkFunction } from '../base/parameters.js';
import { type Subscription, SubscriptionHandle } from '../bus/rules/subscription.js';
import { type ConvertedValues, putValue, tellDroppedProperty, valuesOf } from '../client/properties.js';
import { RemoteInterface } from '../client/proxy.js';
import type { Remote } from '../client/remote.js';
import type { Misfit } from '../codec/misfit.js';
import { runHandler } from '../diagnostics/problems.js';
import type { InterfaceDescription, PropertyDescription } from '../interface/description.js';
import { standardInterfaces } from '../interface/standard.js';
import type { Variant } from '../values/variant.js';
import type { InterfaceWatcher, ManagedInterface } from './managed-interface.js';
import { checkObjectWatcher, type LooseWatcher, ObjectWatch } from './object-watch.js';
import type { Sent } from './property-values.js';
import { type UntilOptions, untilValues } from './until.js';

/** The values of properties, by name. */
export type Values = Readonly<Record<string, unknown>>;

/** Where the values of a proxy come from. */
export interface LiveState {
  /** The interface of the object; `undefined` while it does not exist. */
  readonly current: ManagedInterface | undefined;
  /** The unique name of the owner. */
  readonly owner: string | undefined;
  /** Watches the interface. Returns the function that ends it. */
  watch(watcher: InterfaceWatcher): () => void;
}

type Watch = RemoteInterface['watch'];
type OnChange = RemoteInterface['onChange'];

/** The signal that a change comes from, without what depends on the object. */
const origin = {
  interface: standardInterfaces.properties.name,
  member: 'PropertiesChanged',
  destination: undefined,
  fileDescriptors: [],
};

const keptOutNames = new WeakMap<InterfaceDescription, readonly string[]>();

/**
 * The properties that are not among the values: nothing announces their changes, so a value that is kept may be out of
 * date, or they have descriptors, which are not kept.
 */
function keptOut(description: InterfaceDescription): readonly string[] {
  let names = keptOutNames.get(description);
  if (names === undefined) {
    const all = [...description.properties.values()];
    names = all.filter(({ emits, signature }) => emits === false || signature.includes('h')).map(({ name }) => name);
    keptOutNames.set(description, names);
  }
  return names;
}

const nothing: Values = Object.freeze({});

/** For the converted values of the next object that has some. Most objects have none, so few need a map. */
let unused: ConvertedValues = new Map();

export class LiveProxy extends RemoteInterface {
  readonly #remote: Remote;
  readonly #state: LiveState;
  /** Reports values that do not have their types. */
  readonly #refuse: (property: PropertyDescription, value: Variant | Misfit) => void;
  #watch: Watch | undefined;
  /** The values that were read last, and of which state. */
  #read:
    | {
        readonly managed: ManagedInterface;
        readonly version: number;
        readonly values: Values;
        readonly converted: ConvertedValues | undefined;
      }
    | undefined;

  constructor(remote: Remote, state: LiveState) {
    super(remote);
    this.#remote = remote;
    this.#state = state;
    this.#refuse = (property, value) =>
      tellDroppedProperty(remote, property, value, `the property ${remote.description.name}.${property.name}`);
  }

  /** Whether the object has the interface at this time. */
  get present(): boolean {
    return this.#state.current !== undefined;
  }

  /** The values that are valid. Those that are not are read again. */
  get values(): Values {
    const { current } = this.#state;
    if (current === undefined) return nothing;
    current.look();
    return this.valuesIn(current);
  }

  /** @internal the values of a state, which may have ended */
  valuesIn(managed: ManagedInterface): Values {
    const { version, sent } = managed.values;
    const last = this.#read?.managed === managed ? this.#read : undefined;
    if (last?.version === version) return last.values;
    // With `keep`, the types belong to the containers of one reading.
    const earlier = this.#remote.options.variants === 'keep' ? undefined : last;
    const converted = earlier?.converted ?? unused;
    const changed = earlier === undefined ? undefined : managed.values.changedSince(earlier.version);
    const values =
      earlier === undefined || changed === undefined
        ? this.#valuesOf(sent, converted)
        : this.#withChanges(earlier.values, changed, sent, converted);
    if (converted === unused && converted.size > 0) unused = new Map();
    this.#read = { managed, version, values, converted: converted.size > 0 ? converted : undefined };
    return values;
  }

  #valuesOf(sent: Readonly<Sent>, converted: ConvertedValues): Record<string, unknown> {
    const values = valuesOf(this.#remote, sent, true, this.#refuse, converted);
    for (const name of keptOut(this.#remote.description)) delete values[name];
    return values;
  }

  /** A copy of the values after a change of the named ones: reading all of them again takes several times as long. */
  #withChanges(values: Values, names: readonly string[], sent: Readonly<Sent>, converted: ConvertedValues): Values {
    const remote = this.#remote;
    const hidden = keptOut(remote.description);
    const copy: Record<string, unknown> = { ...values };
    for (const name of names) {
      const isPut =
        Object.hasOwn(sent, name) &&
        !hidden.includes(name) &&
        putValue(copy, remote, name, sent[name] as Variant, true, this.#refuse, converted);
      if (!isPut) delete copy[name];
    }
    return copy;
  }

  /**
   * The signals to iterate over, as every proxy has them. Called with functions, it watches the object itself. It has no
   * members of its own that could hide a signal.
   */
  override get watch(): Watch & ((watcher: LooseWatcher) => Handle) {
    const signals = super.watch;
    this.#watch ??= Object.setPrototypeOf(
      Object.defineProperties(
        withoutMembers((watcher: LooseWatcher) => this.#watchObject(watcher)),
        Object.getOwnPropertyDescriptors(signals),
      ),
      Object.getPrototypeOf(signals),
    );
    return this.#watch as Watch & ((watcher: LooseWatcher) => Handle);
  }

  /** Listens to the changes that the view receives. No match rule is added for this object. */
  override onChange(listener: Parameters<OnChange>[0]): Subscription {
    checkFunction(listener, 'listener');
    const { bus } = this.#remote;
    const tell = (names: readonly string[]) => {
      const { values } = this;
      const known = names.filter((name) => Object.hasOwn(values, name));
      const unknown = names.filter((name) => !Object.hasOwn(values, name));
      const changed = Object.fromEntries(known.map((name) => [name, values[name]]));
      return listener(changed, unknown, { ...origin, sender: this.#state.owner, path: this.path });
    };
    const stop = this.#state.watch({
      added() {},
      changed: (_managed, names) => runHandler('a listener of changes', () => tell(names), bus.connectionId),
      removed() {},
      ended() {},
    });
    return new SubscriptionHandle(`changes of ${this.path}`, { ready: Promise.resolve() }, stop);
  }

  /** Resolves with the values when they meet a condition. */
  until(predicate: (values: Values) => boolean, options?: UntilOptions): Promise<Values> {
    return untilValues(this.#remote.bus, this, this.#state, predicate, options);
  }

  #watchObject(watcher: LooseWatcher): Handle {
    checkObjectWatcher(watcher);
    const watch = new ObjectWatch(watcher, () => this, this.#remote.bus);
    const stop = this.#state.watch(watch);
    watch.begin(() => (this.#state.current === undefined ? [] : [this.#state.current]));
    return new EndHandle('watched object', `${this.interface} ${this.path}`, () => {
      watch.end();
      stop();
    });
  }

  override [inspect.custom](depth: number): string {
    const shown = super[inspect.custom](depth);
    if (depth < 0) return shown;
    return `live ${shown}`;
  }
}

function withoutMembers<Function extends object>(called: Function): Function {
  for (const own of Reflect.ownKeys(called)) Reflect.deleteProperty(called, own);
  return called;
}
