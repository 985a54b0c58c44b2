/**
 * The state of one service in a mirror: from its signals, since all objects were fetched from the present owner of the
 * name.
 */
import type { DBusError, Message, MessageBus } from '../../../src/index.js';
import { type Counts, ITEM, type Objects, ROOT, type Seen, type Values } from './mirrored.js';

const MANAGER = 'org.freedesktop.DBus.ObjectManager';
const PROPERTIES = 'org.freedesktop.DBus.Properties';

type Interfaces = Readonly<Record<string, Partial<Values>>>;

/** Errors that mean that the service, or the object, is gone. */
const LEFT = /\.(ServiceUnknown|NameHasNoOwner|NoReply|UnknownObject|UnknownMethod|UnknownInterface)$/;

export function isGoneError(error: unknown): boolean {
  return LEFT.test((error as DBusError).dbusName ?? '');
}

export class View {
  readonly name: string;
  /** The unique name of the owner; `undefined` if there is none. */
  owner: string | undefined;
  /** `undefined` until they were fetched from this owner. */
  objects: Objects | undefined;
  ticks = 0;
  readonly #bus: MessageBus;
  readonly #counts: Counts;
  readonly #wrong: (what: string) => void;
  #waiting: (() => void)[] = [];

  constructor(bus: MessageBus, name: string, counts: Counts, wrong: (what: string) => void) {
    this.name = name;
    this.#bus = bus;
    this.#counts = counts;
    this.#wrong = wrong;
  }

  follow(): void {
    const { name: sender } = this;
    const take = (hear: (message: Message) => void) => (message: Message) => {
      this.#counts.signals++;
      if (message.sender !== this.owner) this.#wrong(`${message.member} of ${message.sender}, not of ${this.owner}`);
      else hear(message);
      this.#tell();
    };
    this.#bus.subscribe(
      { sender, interface: MANAGER, path: ROOT },
      take((message) => this.#onObjects(message)),
    );
    this.#bus.subscribe(
      { sender, interface: PROPERTIES, member: 'PropertiesChanged', pathNamespace: ROOT },
      take((message) => this.#onChanged(message)),
    );
    this.#bus.subscribe(
      { sender, interface: ITEM, member: 'Ticked' },
      take((message) => this.#onTick(message)),
    );
    this.#bus.watchName(sender, {
      appeared: (owner) => void this.#begin(owner),
      vanished: () => this.#end(),
    });
  }

  /** The state when all objects were fetched and the clock had this epoch. */
  async seenAt(clock: string, epoch: number): Promise<Seen> {
    while (this.objects?.[clock]?.Epoch !== epoch) await new Promise<void>((go) => this.#waiting.push(go));
    return { objects: this.objects, ticks: this.ticks };
  }

  async #begin(owner: string): Promise<void> {
    this.#end();
    this.owner = owner;
    try {
      const [all] = await this.#bus.call({
        destination: owner,
        path: ROOT,
        interface: MANAGER,
        member: 'GetManagedObjects',
      });
      if (this.owner !== owner) return;
      this.#counts.fetches++;
      this.objects = {};
      for (const [path, interfaces] of Object.entries(all as Record<string, Interfaces>)) this.#add(path, interfaces);
    } catch (error) {
      if (this.owner === owner && !isGoneError(error)) this.#wrong(`all objects of ${this.name}: ${String(error)}`);
    }
    this.#tell();
  }

  #end(): void {
    this.owner = undefined;
    this.objects = undefined;
    this.ticks = 0;
  }

  #onObjects({ member, body: [path, what] }: Message): void {
    // Signals before the objects were fetched are part of that state.
    if (this.objects === undefined) return;
    if (member === 'InterfacesAdded') this.#add(path as string, what as Interfaces);
    else if (this.objects[path as string] === undefined) this.#wrong(`${path} is removed, and was not there`);
    else delete this.objects[path as string];
  }

  #add(path: string, interfaces: Interfaces): void {
    const values = interfaces[ITEM];
    const objects = this.objects as Objects;
    if (values === undefined) return;
    if (objects[path] !== undefined) this.#wrong(`${path} is added, and was there`);
    objects[path] = { ...values } as Values;
  }

  #onChanged({ path, body: [interfaceName, changed, invalidated] }: Message): void {
    if (this.objects === undefined || interfaceName !== ITEM) return;
    const values = this.objects[path as string];
    if (values === undefined) this.#wrong(`${path} changes, and is not there`);
    else Object.assign(values, changed);
    if ((invalidated as string[]).length > 0) this.#wrong(`${invalidated} of ${path} cannot be read`);
  }

  #onTick({ body: [number] }: Message): void {
    if (number !== this.ticks + 1) this.#wrong(`tick ${number} of ${this.name} follows tick ${this.ticks}`);
    this.ticks = number as number;
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }
}
