/**
 * A service with managed objects that behaves as badly as services do: it answers late with values that it took early,
 * announces changes of an object before the object, and invalidates properties without sending their values. It is
 * written with messages, because objects that busbar exports do none of this.
 */
import { connect, type Message, type MessageBus, MessageFlag, MessageType, variant } from '../../src/index.js';

/** Values of properties, by name. */
export type Properties = Record<string, number | string>;
/** Interfaces of an object, by name. */
export type Interfaces = Record<string, Properties>;

const MANAGER = 'org.freedesktop.DBus.ObjectManager';
const PROPERTIES = 'org.freedesktop.DBus.Properties';

export class FickleService implements AsyncDisposable {
  readonly objects = new Map<string, Interfaces>();
  /** Whether answers are kept until {@link release}. Their values are those of the time of the call. */
  isSlow = false;
  /** How many questions arrived, by member. */
  readonly asked = { GetManagedObjects: 0, Get: 0, GetAll: 0 };
  readonly bus: MessageBus;
  readonly #root: string;
  readonly #held: (() => void)[] = [];

  static async connect(address: string, root = '/'): Promise<FickleService> {
    return new FickleService(await connect({ address }), root);
  }

  constructor(bus: MessageBus, root: string) {
    this.bus = bus;
    this.#root = root;
    bus.addMessageHandler((message) => this.#answer(message));
  }

  async close(): Promise<void> {
    this.#held.length = 0;
    await this.bus.close({ drain: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Sends the answers that were kept. */
  release(): void {
    this.isSlow = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  /** Adds interfaces, of a new object or an old one. Values that were sent `before` were announced as changes. */
  add(path: string, interfaces: Interfaces): void {
    this.objects.set(path, { ...this.objects.get(path), ...structuredClone(interfaces) });
    this.#emit(this.#root, MANAGER, 'InterfacesAdded', 'oa{sa{sv}}', [path, wrapped(interfaces)]);
  }

  remove(path: string, names: readonly string[]): void {
    const left = Object.entries(this.objects.get(path) ?? {}).filter(([name]) => !names.includes(name));
    if (left.length === 0) this.objects.delete(path);
    else this.objects.set(path, Object.fromEntries(left));
    this.#emit(this.#root, MANAGER, 'InterfacesRemoved', 'oas', [path, names]);
  }

  /** Sets values and sends them, or only that the values of some have changed. */
  change(path: string, name: string, values: Properties, invalidated: readonly string[] = []): void {
    const object = this.objects.get(path);
    if (object?.[name] !== undefined) Object.assign(object[name], values);
    const sent = Object.fromEntries(Object.entries(values).filter(([each]) => !invalidated.includes(each)));
    this.#emit(path, PROPERTIES, 'PropertiesChanged', 'sa{sv}as', [name, wrappedValues(sent), invalidated]);
  }

  #emit(path: string, interfaceName: string, member: string, signature: string, body: readonly unknown[]): void {
    this.bus.emit({ path, interface: interfaceName, member, signature, body });
  }

  #answer(message: Message): boolean {
    const { type, interface: interfaceName, member, path = '', body } = message;
    if (type !== MessageType.MethodCall) return false;
    const [of, property] = body as [string, string];
    if (interfaceName === MANAGER && member === 'GetManagedObjects' && path === this.#root) {
      this.asked.GetManagedObjects++;
      const objects = [...this.objects].map(([each, interfaces]) => [each, wrapped(interfaces)]);
      return this.#reply(message, 'a{oa{sa{sv}}}', Object.fromEntries(objects));
    }
    const values = this.objects.get(path)?.[of];
    if (interfaceName !== PROPERTIES) return false;
    if (member === 'GetAll' && values !== undefined) {
      this.asked.GetAll++;
      return this.#reply(message, 'a{sv}', wrappedValues(values));
    }
    if (member !== 'Get' || values?.[property] === undefined) return false;
    this.asked.Get++;
    return this.#reply(message, 'v', wrappedValue(values[property]));
  }

  #reply({ sender, serial, flags = 0 }: Message, signature: string, value: unknown): boolean {
    const answer = () => {
      const head = { type: MessageType.MethodReturn, flags: MessageFlag.NoReplyExpected, destination: sender };
      if ((flags & MessageFlag.NoReplyExpected) === 0)
        this.bus.send({ ...head, replySerial: serial, signature, body: [value] });
    };
    if (this.isSlow) this.#held.push(answer);
    else answer();
    return true;
  }
}

function wrapped(interfaces: Interfaces): object {
  return Object.fromEntries(Object.entries(interfaces).map(([name, values]) => [name, wrappedValues(values)]));
}

function wrappedValues(values: Properties): object {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, wrappedValue(value)]));
}

function wrappedValue(value: number | string) {
  return typeof value === 'number' ? variant.u(value) : variant.s(value);
}
