/**
 * The properties of one interface of one object, as its owner sent them: values, and the names of those that are no
 * longer valid. Values keep the types that they were sent with, because several descriptions may read them.
 *
 * Properties that were invalidated have no value until they are read again. Reading them is left to the owner of this
 * object, which gives each reading a number: a value that a signal brought meanwhile is newer than the reply.
 */
import { isDeepStrictEqual } from 'node:util';
import { defineProto } from '../codec/decode-container.js';
import type { Variant } from '../values/variant.js';

/** Values by the names of properties, as they are decoded. */
export type Sent = Record<string, Variant>;

/** A property that was invalidated, and has not been asked for yet. */
const NOT_ASKED = 0;

export class PropertyValues {
  #sent: Sent;
  /** The properties without a valid value: the number of the reading that asked for each. */
  #invalid: Map<string, number> | undefined;
  /** Properties whose last values held descriptors, which are not kept: they are not read again. */
  #held: Set<string> | undefined;
  #lastReading = 0;
  /** Whether the last reading failed. */
  #hasFailed = false;
  #version = 0;
  /** The last change by a signal: the versions before and after it, and the names of its properties. */
  #before = 0;
  #after = 0;
  #names: readonly string[] | undefined;

  constructor(sent: Sent) {
    this.#sent = sent;
  }

  /** The valid values. It must not be changed, and is replaced or changed by the next change. */
  get sent(): Readonly<Sent> {
    return this.#sent;
  }

  /** Increases with every change. */
  get version(): number {
    return this.#version;
  }

  /** The properties that differ from an earlier version, if one signal made the difference. */
  changedSince(version: number): readonly string[] | undefined {
    return this.#before === version && this.#after === this.#version ? this.#names : undefined;
  }

  /** Whether properties have to be read again that have not been asked for. */
  get hasUnread(): boolean {
    if (this.#invalid === undefined) return false;
    for (const reading of this.#invalid.values()) if (reading === NOT_ASKED) return true;
    return false;
  }

  /** Replaces all values. Returns the names of the properties that have changed. */
  replace(sent: Sent): string[] {
    const before = this.#sent;
    this.#sent = sent;
    this.#version++;
    const names = new Set([...Object.keys(before), ...Object.keys(sent), ...(this.#invalid?.keys() ?? [])]);
    this.#invalid = undefined;
    this.#held = undefined;
    return [...names].filter((name) => !isDeepStrictEqual(ownOf(before, name), ownOf(sent, name)));
  }

  /**
   * Takes new values. Returns the names of the properties that have changed.
   *
   * @param held properties whose new values hold descriptors
   */
  change(changed: Sent, invalidated: readonly string[], held: readonly string[] = []): string[] {
    this.#before = this.#version;
    const names = Object.keys(changed);
    for (const name of names) {
      this.#held?.delete(name);
      const value = changed[name] as Variant;
      if (name === '__proto__') defineProto(this.#sent, value);
      else this.#sent[name] = value;
      this.#invalid?.delete(name);
    }
    for (const name of invalidated) {
      if (this.#held?.has(name)) names.push(name);
      else this.invalidate(name);
    }
    if (held.length > 0) {
      this.#hold(held);
      names.push(...held);
    }
    if (names.length > 0 || invalidated.length > 0) this.#version++;
    this.#after = this.#version;
    this.#names = invalidated.length === 0 ? names : [...names, ...invalidated];
    return names;
  }

  #hold(names: readonly string[]): void {
    for (const name of names) {
      delete this.#sent[name];
      this.#invalid?.delete(name);
      this.#held ??= new Set();
      this.#held.add(name);
    }
  }

  /** Records that a value is no longer valid. */
  invalidate(name: string): void {
    delete this.#sent[name];
    this.#invalid ??= new Map();
    this.#invalid.set(name, NOT_ASKED);
    this.#version++;
  }

  /**
   * Values that arrived before the object was known. Where they differ from its values, neither may be the newer one,
   * so those properties are read again.
   */
  compare(changed: Sent, invalidated: readonly string[]): void {
    for (const name of Object.keys(changed)) {
      if (!isDeepStrictEqual(ownOf(this.#sent, name), changed[name])) this.invalidate(name);
    }
    for (const name of invalidated) this.invalidate(name);
  }

  /** Begins to read the properties that are not valid. Returns their names, and the number of the reading. */
  beginReading(): { readonly names: readonly string[]; readonly reading: number } {
    const reading = ++this.#lastReading;
    const names: string[] = [];
    for (const [name, asked] of this.#invalid ?? []) if (asked === NOT_ASKED) names.push(name);
    for (const name of names) this.#invalid?.set(name, reading);
    return { names, reading };
  }

  /**
   * Takes the values of a reading, except those that a signal has changed or invalidated since. A property that was
   * asked for and is not among them does not exist at this time. Returns the names of what was asked for.
   */
  endReading(reading: number, sent: Readonly<Sent>, held: readonly string[] = []): string[] {
    this.#hasFailed = false;
    const names: string[] = [];
    for (const [name, asked] of this.#invalid ?? []) if (asked === reading) names.push(name);
    for (const name of names) {
      this.#invalid?.delete(name);
      const value = ownOf(sent, name);
      if (value === undefined) continue;
      if (name === '__proto__') defineProto(this.#sent, value);
      else this.#sent[name] = value;
    }
    this.#hold(held.filter((name) => names.includes(name)));
    if (names.length > 0) this.#version++;
    return names;
  }

  /** A reading failed. Its properties can be asked for again. Returns whether it is the first that fails in a row. */
  abandonReading(reading: number): boolean {
    const isFirst = !this.#hasFailed;
    this.#hasFailed = true;
    for (const [name, asked] of this.#invalid ?? []) if (asked === reading) this.#invalid?.set(name, NOT_ASKED);
    return isFirst;
  }
}

function ownOf(sent: Readonly<Sent>, name: string): Variant | undefined {
  return Object.hasOwn(sent, name) ? sent[name] : undefined;
}
