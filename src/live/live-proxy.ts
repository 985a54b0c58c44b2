/**
 * A proxy that also has the present values of its object's properties. Its calls go to the service as those of every
 * proxy; its values come from the view that it belongs to.
 */
import { inspect } from 'node:util';
import { EndHandle, type Handle } from '../base/handle.js';
import { checkFunction } from '../base/parameters.js';
import { type Subscription, SubscriptionHandle } from '../bus/rules/subscription.js';
import { type ConvertedValues, tellDroppedProperty, valuesOf } from '../client/properties.js';
import { RemoteInterface } from '../client/proxy.js';
import type { Remote } from '../client/remote.js';
import type { Misfit } from '../codec/misfit.js';
import { runHandler } from '../diagnostics/problems.js';
import type { PropertyDescription } from '../interface/description.js';
import { standardInterfaces } from '../interface/standard.js';
import type { Variant } from '../values/variant.js';
import type { InterfaceWatcher, ManagedInterface } from './managed-interface.js';
import { checkObjectWatcher, type LooseWatcher, ObjectWatch } from './object-watch.js';
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

const nothing: Values = Object.freeze({});

export class LiveProxy extends RemoteInterface {
  readonly #remote: Remote;
  readonly #state: LiveState;
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
    if (this.#read?.managed === managed && this.#read.version === version) return this.#read.values;
    const remote = this.#remote;
    const refuse = (property: PropertyDescription, value: Variant | Misfit) =>
      tellDroppedProperty(remote, property, value, `the property ${remote.description.name}.${property.name}`);
    // With `keep`, the types belong to the containers of one reading.
    const isSame = this.#read?.managed === managed && remote.options.variants !== 'keep';
    const converted: ConvertedValues = (isSame ? this.#read?.converted : undefined) ?? new Map();
    const values = valuesOf(remote, sent, true, refuse, converted);
    for (const { name, emits, signature } of remote.description.properties.values()) {
      // Nothing announces the changes of these, so a value that is kept may be out of date. Descriptors are not kept.
      if (emits === false || signature.includes('h')) delete values[name];
    }
    this.#read = { managed, version, values, converted: converted.size > 0 ? converted : undefined };
    return values;
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
