/**
 * The properties of one object that can be exported, and the places where it is. Everything that reads a property, sets it or
 * tells of it goes through here: a value is read once, checked once and marshalled once, whoever gets it.
 *
 * Where values are, the object itself knows: see {@link PropertySource}.
 */

import { closeHandedOver } from '../../codec/close-descriptors.js';
import { EncodedEntries, type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import { report } from '../../diagnostics.js';
import { InvalidArgumentError, UnknownPropertyError } from '../../errors.js';
import type { InterfaceDescription, PropertyDescription } from '../../introspection/description.js';
import { suggestion } from '../../nearest-name.js';
import { Places } from '../places.js';
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
    if (description === undefined) throw new UnknownPropertyError(`${this.description.name} has no property ${name}`);
    const property = new Property(description);
    this.#properties.set(name, property);
    return property;
  }

  /** The value of a property as it is to be sent, or a promise of it. Access is the caller's business. */
  get(name: string): unknown {
    const property = this.property(name);
    const value = this.#source.readProperty(name);
    if (!isThenable(value)) return property.typed(value);
    return Promise.resolve(value).then((settled) => property.typed(settled));
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
    return Promise.resolve(done).then(() => this.#wasSet(property, setting, before, get));
  }

  #wasSet(property: Property, setting: Setting, before: unknown, get: (() => unknown) | undefined): void {
    const { description } = property;
    if (!this.#tells(description)) {
      property.wasSet(setting, property.isOvertaken(setting) ? readQuietly(get) : unknownValue);
      property.changes++;
      return;
    }
    let now: unknown;
    try {
      now = get?.();
    } catch (error) {
      property.wasSet(setting, unknownValue);
      property.changes++;
      this.#failed(description, error);
      this.#note(property, State.Invalidated);
      return;
    }
    property.wasSet(setting, now);
    if (isThenable(now)) {
      property.changes++;
      this.#note(property, description.emits === true ? this.#await(property, now) : ignored(now));
      return;
    }
    const after = property.typed(now);
    if (property.isSame(before, after)) {
      closeHandedOver(description.signature, now);
      return;
    }
    property.changes++;
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
    const noted: [Property, EncodedEntry | undefined][] = [];
    if (Array.isArray(changes)) {
      for (const key of changes as readonly unknown[]) noted.push([this.#emitting(nameOf, key), undefined]);
    } else {
      for (const [key, given] of Object.entries(changes)) {
        const property = this.#emitting(nameOf, key);
        noted.push([property, encodeEntry(property.description, property.typed(given), true, key)]);
      }
    }
    for (const [property, entry] of noted) {
      property.changes++;
      if (!this.#tells(property.description)) continue;
      if (property.description.emits !== true) this.#note(property, State.Invalidated);
      else this.#note(property, entry ?? State.Unread);
    }
  }

  #emitting(nameOf: ReadonlyMap<string, string>, key: unknown): Property {
    if (typeof key !== 'string') {
      throw new InvalidArgumentError(`changes: expected names of properties, got ${typeof key}`);
    }
    const name = nameOf.get(key);
    if (name === undefined) {
      throw new InvalidArgumentError(`there is no property ${key}${suggestion(key, nameOf.keys())}`);
    }
    const property = this.property(name);
    const { emits, access } = property.description;
    if (emits === 'const' || emits === false || access === 'write') {
      throw new InvalidArgumentError(`the property ${key} is described as one whose changes are not sent`);
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
      return fittingEntry(this, description, property.typed(value));
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
    for (const { name, access } of this.description.properties.values()) {
      if (access === 'write') continue;
      const property = this.property(name);
      const entry = this.entry(property);
      if (entry instanceof Promise) this.#follow(property, entry);
      else if (entry !== undefined && room.takes(entry)) entries.push(entry);
      else if (entry !== undefined && hasDescriptors(entry)) closeHandedOver('h', entry);
    }
    return new EncodedEntries(entries);
  }

  #follow(property: Property, answer: Promise<Answer>): void {
    const { emits } = property.description;
    const number = property.asked;
    if (emits !== true && emits !== 'const') return;
    property.followed = number;
    void answer.then(({ entry }) => this.#tellAnswer(property, number, entry));
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

  #content({ description }: Property, value: unknown): Content {
    return fittingEntry(this, description, value) ?? State.Invalidated;
  }

  /** Has a changed value that takes time follow when it is known. */
  #await(property: Property, value: PromiseLike<unknown>): Content {
    const answer = this.#answer(property, value);
    const number = property.asked;
    property.followed = number;
    void answer.then(({ entry }) => this.#tellAnswer(property, number, entry));
    return State.Awaited;
  }

  #tellAnswer(property: Property, number: number, entry: EncodedEntry | undefined): void {
    // A later change has asked again: its value is the newer one.
    if (property.followed !== number || property.told > number) {
      if (entry !== undefined && hasDescriptors(entry)) closeHandedOver('h', entry);
      return;
    }
    property.told = number;
    if (this.places.size > 0) this.#note(property, entry ?? State.Invalidated);
  }

  /** What a getter comes to that takes its time, but not for ever. */
  #answer(property: Property, value: PromiseLike<unknown>): Promise<Answer> {
    const { description, changes } = property;
    const number = ++property.asked;
    return inTime(value, (late) => closeHandedOver(description.signature, late))
      .then((settled) => fittingEntry(this, description, property.typed(settled)))
      .catch((error: unknown) => {
        report('handler', `${this.nameOf(description)} could not be read and is left out`, error);
        return undefined;
      })
      .then((entry) => {
        const answer: Answer = { number, changes, entry };
        for (const listener of property.listeners) listener.learn(property, answer);
        return answer;
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

/** Whoever wants the value asks for it once more. */
function ignored(value: PromiseLike<unknown>): Content {
  Promise.resolve(value).catch(() => {});
  return State.Invalidated;
}
