/**
 * The properties of one exportable object, and the places where it is exported. All reading, setting and announcing of
 * properties goes through here: a value is read once, checked once and encoded once for all receivers.
 *
 * The values are in the object itself: see {@link PropertySource}.
 */

import { InvalidArgumentError, UnknownPropertyError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import { suggestion } from '../../base/nearest-name.js';
import { closeHandedOver } from '../../codec/close-descriptors.js';
import { EncodedEntries, type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import { report } from '../../diagnostics/problems.js';
import type { InterfaceDescription, PropertyDescription } from '../../interface/description.js';
import type { VariantChoice } from '../../signature/types.js';
import type { CallContext } from '../calls/call-context.js';
import { areCallsKept, outsideCalls } from '../calls/call-storage.js';
import { Places } from '../objects/places.js';
import type { MemberRules } from '../permits/member-rules.js';
import { checkAssigned, checkOf, setChecked } from '../permits/value-checks.js';
import { isThenable } from '../thenable.js';
import { encodeEntries } from './answer-memory.js';
import { Change, type Content, State } from './change.js';
import type { DescriptorRoom } from './descriptor-room.js';
import { encodeEntry, fittingEntry } from './encode-entry.js';
import { type Answer, Property, type Setting, unknownValue } from './property.js';
import { type PropertyTable, propertyTable } from './property-table.js';
import { inTime } from './slow-getter.js';

/**
 * Reads and writes the values of an object's properties, which are in the instance of a class, or were passed to
 * `implement`.
 */
export interface PropertySource {
  /**
   * The value as the program has it, or a promise of it. Throws the getter's error.
   *
   * @param call the call that asks for it; `undefined` for an announcement
   */
  readProperty(name: string, call: CallContext | undefined): unknown;
  /** Sets a value from the bus. Returns a promise if that takes time. */
  writeProperty(name: string, value: unknown, call: CallContext | undefined): unknown;
  /** How the setter of a property gets variants; `plain` by default. */
  readingOfProperty(name: string): VariantChoice | undefined;
  /** Whether all values are stored, so that reading them runs no getter of the program. */
  readonly storesAll: boolean;
  /** The rules of the properties: which values they accept, and which are in no signal. */
  readonly rules: MemberRules | undefined;
}

const none: readonly never[] = [];

export class PropertyStore {
  readonly #table: PropertyTable;
  readonly #source: PropertySource;
  /** The properties that were used, in the order of the table. */
  #properties: (Property | undefined)[] | undefined;
  /** The places where the object is exported. */
  readonly places: Places;

  constructor(description: InterfaceDescription, source: PropertySource) {
    this.#table = propertyTable(description);
    this.#source = source;
    this.places = new Places(description);
  }

  get description(): InterfaceDescription {
    return this.#table.description;
  }

  /**
   * Returns a property by its name.
   *
   * @throws {@link UnknownPropertyError}
   */
  property(name: string): Property {
    const place = this.#table.places.get(name);
    if (place === undefined) throw new UnknownPropertyError(`${this.description.name} has no property ${quoted(name)}`);
    return this.propertyAt(place);
  }

  /** The descriptions of the properties, in the order of their places. */
  get described(): readonly PropertyDescription[] {
    return this.#table.properties;
  }

  /** Returns a property by its place among {@link described}. */
  propertyAt(place: number): Property {
    const { properties } = this.#table;
    this.#properties ??= new Array(properties.length).fill(undefined);
    const known = this.#properties[place];
    if (known !== undefined) return known;
    const property = new Property(properties[place] as PropertyDescription);
    this.#properties[place] = property;
    return property;
  }

  /** The value of a property as it is sent, or a promise of it. The caller checks the access. */
  get(name: string, call?: CallContext): unknown {
    const property = this.property(name);
    const value = this.#source.readProperty(name, call);
    if (isThenable(value)) return property.typedLater(value);
    const typed = property.typed(value);
    if (property.wasSlow) property.tellNow(typed, quietEntry(property, typed));
    return typed;
  }

  /** A value from the bus, which has its variants as `Variant`, as the setter of a property gets it. */
  taken(name: string, received: unknown): unknown {
    return this.property(name).taken(received, this.#source.readingOfProperty(name));
  }

  /**
   * Sets a property to a value from the bus, which has its variants as `Variant`. Returns a promise if that takes time.
   * The change is announced like any other.
   */
  set(name: string, received: unknown, call?: CallContext): unknown {
    const property = this.property(name);
    const source = this.#source;
    return property.receive(received, source.readingOfProperty(name), (taken) => {
      const check = checkOf(source.rules, name);
      if (check === undefined) return source.writeProperty(name, taken, call);
      return setChecked(check, source, name, taken, call);
    });
  }

  /**
   * Handles the assignment of a value to a property that stores it.
   *
   * @param before the value before the assignment
   * @param write stores the value, as a method of `target`: a closure for each assignment would be garbage
   * @throws {@link InvalidArgumentError} if the value has the wrong type; it is not stored then
   */
  assign<Target extends object>(
    name: string,
    value: unknown,
    before: unknown,
    write: (this: Target, name: string, value: unknown) => void,
    target: Target,
  ): void {
    const property = this.property(name);
    const { description } = property;
    // What a value without variants and descriptors needs no record of.
    const setting = property.isPlain ? undefined : property.beginSet(value);
    const typed = setting === undefined ? value : setting.typed;
    if (this.#source.rules !== undefined) checkAssigned(this.#source, description, value, typed);
    const tells = this.#tells(description) && !property.isSame(property.typedBefore(before), typed);
    const entry = encodeEntry(description, typed, tells && description.emits === true);
    write.call(target, name, value);
    if (setting !== undefined) {
      property.store(value);
      property.wasSet(setting, value);
    }
    property.changes++;
    if (tells) this.#note(property, entry ?? State.Invalidated);
  }

  /**
   * Handles the assignment of a value to a setter, which may change the value.
   *
   * @param getter reads the property's value afterwards, if it can be read
   * @returns a promise if setting takes time
   */
  assignBehind(
    name: string,
    value: unknown,
    getter: (() => unknown) | undefined,
    set: (value: unknown) => unknown,
  ): unknown {
    const get = getter !== undefined && areCallsKept() ? () => outsideCalls(getter) : getter;
    const property = this.property(name);
    const setting = property.beginSet(value);
    if (this.#source.rules !== undefined) checkAssigned(this.#source, property.description, value, setting.typed);
    const before =
      this.#tells(property.description) && !property.opensDescriptors
        ? property.typedBefore(readQuietly(get))
        : unknownValue;
    const done = set(value);
    if (!isThenable(done)) {
      this.#wasSet(property, setting, before, get);
      return undefined;
    }
    property.takesTime(setting);
    const refused = (error: unknown) => {
      property.wasRefused(setting);
      throw error;
    };
    return Promise.resolve(done).then(() => this.#wasSet(property, setting, before, get), refused);
  }

  #wasSet(property: Property, setting: Setting, before: unknown, get: (() => unknown) | undefined): void {
    const { description } = property;
    if (!this.#tells(description)) {
      property.wasSet(setting, property.isOvertaken(setting) ? readQuietly(get) : unknownValue);
      property.changed();
      return;
    }
    let now: unknown;
    try {
      now = get?.();
    } catch (error) {
      property.wasSet(setting, unknownValue);
      property.changed();
      this.#failed(description, error);
      this.#note(property, State.Invalidated);
      return;
    }
    property.wasSet(setting, isThenable(now) ? unknownValue : now);
    if (isThenable(now)) {
      property.changed();
      this.#note(property, description.emits === true ? this.#await(property, now) : ignored(now));
      return;
    }
    const after = property.typed(now);
    if (property.isSame(before, after)) {
      closeHandedOver(description.signature, now);
      return;
    }
    property.changed();
    this.#note(property, description.emits === true ? this.#content(property, after) : State.Invalidated);
  }

  /**
   * Announces changes that happened without an assignment: all of them, or none if one is refused.
   *
   * @param nameOf the names of properties by the names in `changes`
   * @param changes the names of properties whose new values are read, or the values by name
   * @throws {@link InvalidArgumentError} if a property is unknown or never emits changes, or a value has the wrong type
   */
  announce(nameOf: ReadonlyMap<string, string>, changes: readonly string[] | Readonly<Record<string, unknown>>): void {
    if (typeof changes !== 'object' || changes === null) {
      throw new InvalidArgumentError('changes: expected an array of names, or an object of values by name');
    }
    const noted: { property: Property; value?: unknown; entry?: EncodedEntry | undefined }[] = [];
    if (Array.isArray(changes)) {
      for (const key of changes as readonly unknown[]) noted.push({ property: this.#emitting(nameOf, key) });
    } else {
      for (const [key, given] of Object.entries(changes)) {
        const property = this.#emitting(nameOf, key);
        const value = property.typed(given);
        noted.push({ property, value, entry: encodeEntry(property.description, value, true, key) });
      }
    }
    for (const { property, value, entry } of noted) {
      property.changed();
      if (!this.#tells(property.description)) continue;
      if (property.description.emits !== true) this.#note(property, State.Invalidated);
      else if (entry === undefined) this.#note(property, State.Unread);
      else {
        property.tellNow(value, entry);
        this.#note(property, entry);
      }
    }
  }

  #emitting(nameOf: ReadonlyMap<string, string>, key: unknown): Property {
    if (typeof key !== 'string') {
      throw new InvalidArgumentError(`changes: expected names of properties, got ${typeof key}`);
    }
    const name = nameOf.get(key);
    if (name === undefined) {
      throw new InvalidArgumentError(
        `${this.description.name} has no property ${quoted(key)}${suggestion(key, nameOf.keys())}`,
      );
    }
    const property = this.property(name);
    const { emits, access } = property.description;
    if (emits === 'const' || emits === false || access === 'write') {
      const option = access === 'write' ? "access: 'write'" : `emits: ${emits === false ? emits : `'${emits}'`}`;
      throw new InvalidArgumentError(`the property ${key} never announces its changes (${option})`);
    }
    return property;
  }

  /**
   * The entry of a property for an answer or an announcement. If it cannot be read or has the wrong type, that is
   * reported, and the entry is nothing. A promise if its getter takes time.
   *
   * @param call the call that asks for it; `undefined` for an announcement
   * @param isReported whether this was reported before, for the same answer
   */
  entry(
    property: Property,
    call: CallContext | undefined,
    isReported = false,
  ): EncodedEntry | undefined | Promise<Answer> {
    const { description } = property;
    try {
      const value = this.#valueFor(call, description);
      if (isThenable(value)) return this.#answer(property, value);
      const typed = property.typed(value);
      const entry = fittingEntry(this, description, typed, isReported);
      property.tellNow(typed, entry);
      return entry;
    } catch (error) {
      if (!isReported) report('handler', `${this.nameOf(description)} could not be read and is left out`, error);
      return undefined;
    }
  }

  /** The value for the answer to a call, or for an announcement, which may be sent while a handler runs. */
  #valueFor(call: CallContext | undefined, { name }: PropertyDescription): unknown {
    const source = this.#source;
    if (call !== undefined || !areCallsKept()) return source.readProperty(name, call);
    return outsideCalls(() => source.readProperty(name, undefined));
  }

  /**
   * The number of changes of all properties; nothing if values have to be read one by one: a getter may take time, or a
   * value has variants or descriptors.
   */
  get plainChanges(): number | undefined {
    if (this.#table.plain === undefined || !this.#source.storesAll) return undefined;
    let sum = 0;
    for (const property of this.#properties ?? none) {
      if (property === undefined) continue;
      if (property.wasSlow) return undefined;
      sum += property.changes;
    }
    return sum;
  }

  /** The entries of all properties, if {@link plainChanges} exist. Nothing if a value has the wrong type. */
  plainEntries(): EncodedEntry | undefined {
    const source = this.#source;
    return encodeEntries(this.#table.plain ?? none, (name) => source.readProperty(name, undefined));
  }

  /**
   * The entries of all properties that are known and have room, for the announcement of the object. Entries that are
   * not known yet follow later.
   */
  knownEntries(room: DescriptorRoom): EncodedEntries {
    const entries: EncodedEntry[] = [];
    for (const [place, { name, access, emits }] of this.described.entries()) {
      if (access === 'write' || this.#source.rules?.guarded.has(name)) continue;
      const property = this.propertyAt(place);
      const entry = this.entry(property, undefined);
      if (entry instanceof Promise) {
        if (emits === true || emits === 'const') this.#follow(property, entry);
      } else if (entry !== undefined && room.takes(entry)) entries.push(entry);
      else if (entry !== undefined && hasDescriptors(entry)) closeHandedOver('h', entry);
    }
    return new EncodedEntries(entries);
  }

  /** Records that a value is sent in the answer to a Get. Other calls may be waiting for a value. */
  tell(property: Property, { number, changes, value }: Omit<Answer, 'entry'>): void {
    property.tell(number);
    if (property.hasListeners) property.learn({ number, changes, value, entry: quietEntry(property, value) });
  }

  /** Whether a change is announced. If the object is not exported, no client has its values. */
  #tells({ access, emits }: PropertyDescription): boolean {
    return this.places.size > 0 && access !== 'write' && (emits === true || emits === 'invalidates');
  }

  #note(property: Property, content: Content): void {
    const read = content === State.Unread ? this.#reader(property) : undefined;
    const change = new Change(property.description.name, content, read);
    this.places.note(change, this);
  }

  #reader(property: Property): () => Content {
    return () => this.#read(property);
  }

  #read(property: Property): Content {
    const { description } = property;
    try {
      const value = this.#valueFor(undefined, description);
      if (isThenable(value)) return this.#await(property, value);
      return this.#content(property, property.typed(value));
    } catch (error) {
      this.#failed(description, error);
      return State.Invalidated;
    }
  }

  #content(property: Property, value: unknown): Content {
    const entry = fittingEntry(this, property.description, value);
    property.tellNow(value, entry);
    return entry ?? State.Invalidated;
  }

  /** Announces a changed value that takes time when it is known. */
  #await(property: Property, value: PromiseLike<unknown>): Content {
    this.#follow(property, this.#answer(property, value));
    return State.Awaited;
  }

  #follow(property: Property, answer: Promise<Answer>): void {
    const number = property.follow();
    void answer.then(({ entry }) => this.#tellAnswer(property, number, entry));
  }

  #tellAnswer(property: Property, number: number, entry: EncodedEntry | undefined): void {
    // If the property has changed again, that change has a value of its own, or asks for it.
    const isFollowed = property.isFollowed(number);
    if (isFollowed && !property.isOutdated(number)) {
      property.tell(number);
      if (this.places.size > 0) this.#note(property, entry ?? State.Invalidated);
      return;
    }
    if (entry !== undefined && hasDescriptors(entry)) closeHandedOver('h', entry);
    // Some clients have a newer value already, from an answer. The others get the present value.
    if (isFollowed && entry !== undefined && this.places.size > 0) this.#note(property, State.Unread);
  }

  /** The result of a getter that takes time, within its time limit. */
  #answer(property: Property, value: PromiseLike<unknown>): Promise<Answer> {
    const { description, changes } = property;
    const number = property.beginCall();
    const learn = (settled: unknown, entry: EncodedEntry | undefined): Answer => {
      const answer: Answer = { number, changes, value: settled, entry };
      property.learn(answer);
      return answer;
    };
    return inTime(property.typedLater(value), (late) => closeHandedOver(description.signature, late))
      .then((typed) => learn(typed, fittingEntry(this, description, typed)))
      .catch((error: unknown) => {
        report('handler', `${this.nameOf(description)} could not be read and is left out`, error);
        return learn(undefined, undefined);
      });
  }

  #failed(description: PropertyDescription, error: unknown): void {
    report('handler', `${this.nameOf(description)} changed and could not be read`, error);
  }

  /** The name of a property for reports: its interface, and the path of the object. */
  nameOf({ name }: PropertyDescription): string {
    const { paths } = this.places;
    return `the property ${this.description.name}.${name}${paths.length === 0 ? '' : ` at ${paths.join(', ')}`}`;
  }
}

function readQuietly(get: (() => unknown) | undefined): unknown {
  try {
    const value = get === undefined ? unknownValue : get();
    if (!isThenable(value)) return value;
    ignored(value);
  } catch {
    // The property may be readable after it was set.
  }
  return unknownValue;
}

/** The entry of a value, or nothing if the value has the wrong type, which is reported elsewhere. */
function quietEntry({ description }: Property, value: unknown): EncodedEntry | undefined {
  try {
    return encodeEntry(description, value, true);
  } catch {
    return undefined;
  }
}

/** Ignores a promise: clients that want the value ask for it again. */
function ignored(value: PromiseLike<unknown>): Content {
  Promise.resolve(value).catch(() => {});
  return State.Invalidated;
}
