/**
 * The properties of one object that can be exported, and the places where it is. Everything that reads a property, sets it or
 * tells of it goes through here: a value is read once, checked once and marshalled once, whoever gets it.
 *
 * Where values are, the object itself knows: see {@link PropertySource}.
 */

import { InvalidArgumentError, UnknownPropertyError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import { suggestion } from '../../base/nearest-name.js';
import { closeHandedOver } from '../../codec/close-descriptors.js';
import { EncodedEntries, type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import { report } from '../../diagnostics/problems.js';
import type { InterfaceDescription, PropertyDescription } from '../../interface/description.js';
import { Places } from '../objects/places.js';
import { isThenable } from '../thenable.js';
import { Change, type Content, State } from './change.js';
import type { DescriptorRoom } from './descriptor-room.js';
import { encodeEntry, fittingEntry } from './encode-entry.js';
import { type Answer, Property, type Setting, unknownValue } from './property.js';
import { inTime } from './slow-getter.js';

/** Where the values of an object's properties are: in the instance of a class, or in what `implement` was given. */
export interface PropertySource {
  /** The value as the program has it, or a promise of it. Throws what its getter throws. */
  readProperty(name: string): unknown;
  /** Sets a value from the bus; a promise tells when that is done, if it takes time. */
  writeProperty(name: string, value: unknown): unknown;
  /** Whether the setter of a property wants its variants as `Variant`. */
  wrapsProperty(name: string): boolean;
}

export class PropertyStore {
  readonly description: InterfaceDescription;
  readonly #source: PropertySource;
  readonly #properties = new Map<string, Property>();
  /** Where the object is exported. */
  readonly places: Places;

  constructor(description: InterfaceDescription, source: PropertySource) {
    this.description = description;
    this.#source = source;
    this.places = new Places(description);
  }

  /**
   * A property by its name.
   *
   * @throws {@link UnknownPropertyError}
   */
  property(name: string): Property {
    const known = this.#properties.get(name);
    if (known !== undefined) return known;
    const description = this.description.properties.get(name);
    if (description === undefined)
      throw new UnknownPropertyError(`${this.description.name} has no property ${quoted(name)}`);
    const property = new Property(description);
    this.#properties.set(name, property);
    return property;
  }

  /** The value of a property as it is to be sent, or a promise of it. Access is the caller's business. */
  get(name: string): unknown {
    const property = this.property(name);
    const value = this.#source.readProperty(name);
    if (isThenable(value)) return property.typedLater(value);
    const typed = property.typed(value);
    if (property.wasSlow) property.tellNow(typed, quietEntry(property, typed));
    return typed;
  }

  /**
   * Sets a property to a value from the bus, which has its variants as `Variant`. A promise tells when that is done, if it
   * takes time. The change is told as any is.
   */
  set(name: string, received: unknown): unknown {
    const property = this.property(name);
    const source = this.#source;
    return property.receive(received, source.wrapsProperty(name), (taken) => source.writeProperty(name, taken));
  }

  /**
   * A value is assigned to a property that keeps it as it is.
   *
   * @param before what it has until now
   * @param write stores the value
   * @throws {@link InvalidArgumentError} if it does not fit; it is not stored then
   */
  assign(name: string, value: unknown, before: unknown, write: (value: unknown) => void): void {
    const property = this.property(name);
    const { description } = property;
    const setting = property.beginSet(value);
    const { typed } = setting;
    const tells = this.#tells(description) && !property.isSame(property.typedBefore(before), typed);
    const entry = encodeEntry(description, typed, tells && description.emits === true);
    write(value);
    property.store(value);
    property.wasSet(setting, value);
    property.changes++;
    if (tells) this.#note(property, entry ?? State.Invalidated);
  }

  /**
   * A value is given to a setter, which may make something else of it.
   *
   * @param get what the property's value is read by afterwards, if it can be
   * @returns a promise where setting takes time
   */
  assignBehind(
    name: string,
    value: unknown,
    get: (() => unknown) | undefined,
    set: (value: unknown) => unknown,
  ): unknown {
    const property = this.property(name);
    const setting = property.beginSet(value);
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
   * Tells of changes that no assignment shows: all of them, or none if one is refused.
   *
   * @param nameOf the names of properties by those that `changes` uses
   * @param changes names of those whose new value is to be read, or the values by name
   * @throws {@link InvalidArgumentError} for an unknown property, one that never emits, or a value that does not fit
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
      throw new InvalidArgumentError(
        `changes of the property ${key} are not sent: its description says so (emits, or access: 'write')`,
      );
    }
    return property;
  }

  /**
   * The entry of a property for an answer or an announcement: nothing, and a report, if it cannot be read or does not fit,
   * and a promise where its getter takes time.
   */
  entry(property: Property): EncodedEntry | undefined | Promise<Answer> {
    const { description } = property;
    try {
      const value = this.#source.readProperty(description.name);
      if (isThenable(value)) return this.#answer(property, value);
      const typed = property.typed(value);
      const entry = fittingEntry(this, description, typed);
      property.tellNow(typed, entry);
      return entry;
    } catch (error) {
      report('handler', `${this.nameOf(description)} could not be read and is left out`, error);
      return undefined;
    }
  }

  /**
   * The entries of all properties that are known and have room, for the announcement of the object. Those that are not known
   * yet follow.
   */
  knownEntries(room: DescriptorRoom): EncodedEntries {
    const entries: EncodedEntry[] = [];
    for (const { name, access, emits } of this.description.properties.values()) {
      if (access === 'write') continue;
      const property = this.property(name);
      const entry = this.entry(property);
      if (entry instanceof Promise) {
        if (emits === true || emits === 'const') this.#follow(property, entry);
      } else if (entry !== undefined && room.takes(entry)) entries.push(entry);
      else if (entry !== undefined && hasDescriptors(entry)) closeHandedOver('h', entry);
    }
    return new EncodedEntries(entries);
  }

  /** The answer of a Get is sent, and other calls may be waiting for a value. */
  tell(property: Property, { number, changes, value }: Omit<Answer, 'entry'>): void {
    property.tell(number);
    if (property.listeners.size > 0) property.learn({ number, changes, value, entry: quietEntry(property, value) });
  }

  /** Whether anybody is to hear of a change: nobody knows a value of what is not exported. */
  #tells({ access, emits }: PropertyDescription): boolean {
    return this.places.size > 0 && access !== 'write' && (emits === true || emits === 'invalidates');
  }

  #note(property: Property, content: Content): void {
    const read = content === State.Unread ? () => this.#read(property) : undefined;
    const change = new Change(property.description.name, content, read);
    this.places.note(change, this);
  }

  #read(property: Property): Content {
    const { description } = property;
    try {
      const value = this.#source.readProperty(description.name);
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

  /** Has a changed value that takes time follow when it is known. */
  #await(property: Property, value: PromiseLike<unknown>): Content {
    this.#follow(property, this.#answer(property, value));
    return State.Awaited;
  }

  #follow(property: Property, answer: Promise<Answer>): void {
    const number = property.follow();
    void answer.then(({ entry }) => this.#tellAnswer(property, number, entry));
  }

  #tellAnswer(property: Property, number: number, entry: EncodedEntry | undefined): void {
    // The property has changed again: that change has its own value, or asks for it.
    const isFollowed = property.isFollowed(number);
    if (isFollowed && !property.isOutdated(number)) {
      property.tell(number);
      if (this.places.size > 0) this.#note(property, entry ?? State.Invalidated);
      return;
    }
    if (entry !== undefined && hasDescriptors(entry)) closeHandedOver('h', entry);
    // Some have a newer value already, by an answer: the others are told what it is by now.
    if (isFollowed && entry !== undefined && this.places.size > 0) this.#note(property, State.Unread);
  }

  /** What a getter comes to that takes its time, but not for ever. */
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

  /** A property for reports: its interface, and where the object is. */
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
    // It may be readable when it was set.
  }
  return unknownValue;
}

/** The entry of a value, for those who want it besides the one that is told what does not fit. */
function quietEntry({ description }: Property, value: unknown): EncodedEntry | undefined {
  try {
    return encodeEntry(description, value, true);
  } catch {
    return undefined;
  }
}

/** Whoever wants the value asks for it once more. */
function ignored(value: PromiseLike<unknown>): Content {
  Promise.resolve(value).catch(() => {});
  return State.Invalidated;
}
