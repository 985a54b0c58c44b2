/**
 * The places where one object is exported, and the changes of its properties that are still to be sent there. Changes
 * made in one tick leave together, with the values that the properties have then.
 */
import { closeHandedOver } from '../codec/close-descriptors.js';
import { report } from '../diagnostics.js';
import { InvalidArgumentError } from '../errors.js';
import type { InterfaceDescription, PropertyDescription } from '../introspection/description.js';
import { suggestion } from '../nearest-name.js';
import { invalidated, type Outlet } from './exportable.js';
import { checkValue } from './value-check.js';

/** The value is read when the change leaves. */
const readLater = Symbol('read later');

export class Outlets {
  readonly #description: InterfaceDescription;
  readonly #read: (name: string) => unknown;
  /** By export, because the same outlet may be attached twice. */
  readonly #attached = new Map<symbol, Outlet>();
  #changes = new Map<string, unknown>();
  /** Batches are numbered, so that a slow asynchronous getter cannot overtake a later change with an older value. */
  #batch = 0;
  /** How often each property has changed. */
  readonly #counts = new Map<string, number>();
  readonly #latestBatch = new Map<string, number>();

  constructor(description: InterfaceDescription, read: (name: string) => unknown) {
    this.#description = description;
    this.#read = read;
  }

  attach(outlet: Outlet): () => void {
    const attachment = Symbol('attachment');
    this.#attached.set(attachment, outlet);
    return () => void this.#attached.delete(attachment);
  }

  /** Sends a signal from everywhere; nothing is sent if the object is not exported. */
  emitSignal(name: string, values: readonly unknown[]): void {
    if (this.#attached.size === 0) closeHandedOver(this.#description.signals.get(name)?.signature ?? '', values);
    this.#forEach((outlet) => outlet.emitSignal(name, values));
  }

  /** How many changes of a property were noted: whoever has read it before the last one has an old value. */
  changesOf(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Sends the changes that were noted now, and not at the end of the turn. */
  flush(): void {
    if (this.#changes.size > 0) this.#send();
  }

  /** Notes a change of a property whose value is read when it is sent. */
  changed(name: string): void {
    this.#note(name, readLater);
  }

  /** Notes a change of a property together with its value. */
  changedTo(name: string, value: unknown): void {
    this.#note(name, value);
  }

  #note(name: string, value: unknown): void {
    const property = this.#description.properties.get(name);
    // Nobody can have seen the old value of what is not exported, or may see the value of what is write-only.
    if (property === undefined || property.access === 'write' || this.#attached.size === 0) return;
    if (property.emits !== true && property.emits !== 'invalidates') return;
    this.#counts.set(name, this.changesOf(name) + 1);
    if (this.#changes.size === 0) queueMicrotask(() => this.flush());
    this.#changes.set(name, property.emits === 'invalidates' ? invalidated : value);
  }

  #send(): void {
    const batch = ++this.#batch;
    const values = new Map<string, unknown>();
    const pending: Promise<void>[] = [];
    for (const [name, noted] of this.#changes) {
      const value = noted === readLater ? this.#readNow(name) : noted;
      values.set(name, value);
      if (!(value instanceof Promise)) continue;
      pending.push(value.then((settled) => void values.set(name, settled)));
    }
    this.#changes = new Map();
    if (pending.length === 0) this.#deliver(batch, values);
    else void Promise.all(pending).then(() => this.#deliver(batch, values));
  }

  /** A property that cannot be read has changed all the same: others learn that what they know is not valid. */
  #readNow(name: string): unknown {
    const failed = (error: unknown) => {
      report('handler', `${this.#description.name}.${name} changed and could not be read`, error);
      return invalidated;
    };
    try {
      const value = this.#read(name);
      return isThenable(value) ? Promise.resolve(value).catch(failed) : value;
    } catch (error) {
      return failed(error);
    }
  }

  #deliver(batch: number, values: Map<string, unknown>): void {
    for (const name of [...values.keys()]) {
      if ((this.#latestBatch.get(name) ?? 0) > batch) values.delete(name);
      else this.#latestBatch.set(name, batch);
    }
    if (values.size === 0) return;
    try {
      this.#forEach((outlet) => outlet.propertiesChanged(values));
    } catch (error) {
      report('send', `the changes of ${this.#description.name} could not be sent`, error);
    }
  }

  /** One outlet's failure is not the others' business; the first one is thrown in the end. */
  #forEach(tell: (outlet: Outlet) => void): void {
    let failure: { readonly error: unknown } | undefined;
    for (const outlet of [...this.#attached.values()]) {
      try {
        tell(outlet);
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure !== undefined) throw failure.error;
  }
}

/**
 * Notes changes that no assignment shows: all of them, or none if one is refused.
 *
 * @param properties by the names that `changes` uses
 * @param changes names of those whose new value is to be read, or the values by name
 * @param typed gives a value, of the property of that name, with the types of variants that are known
 * @throws {@link InvalidArgumentError} for an unknown property, one that never emits, or a value that does not fit
 */
export function noteChanges(
  outlets: Outlets,
  properties: ReadonlyMap<string, PropertyDescription>,
  changes: readonly string[] | Readonly<Record<string, unknown>>,
  typed: (key: string, value: unknown) => unknown,
): void {
  if (typeof changes !== 'object' || changes === null) {
    throw new InvalidArgumentError('changes: expected an array of names, or an object of values by name');
  }
  if (isList(changes)) {
    const changed = changes.map((key) => emittingProperty(properties, key));
    for (const { name } of changed) outlets.changed(name);
    return;
  }
  const changed = Object.entries(changes).map(([key, given]) => {
    const { name, signature } = emittingProperty(properties, key);
    const value = typed(key, given);
    checkValue(key, signature, value);
    return { name, value };
  });
  for (const { name, value } of changed) outlets.changedTo(name, value);
}

function emittingProperty(properties: ReadonlyMap<string, PropertyDescription>, key: string): PropertyDescription {
  const property = properties.get(key);
  if (property === undefined) {
    throw new InvalidArgumentError(`there is no property ${key}${suggestion(key, properties.keys())}`);
  }
  if (property.emits === 'const' || property.emits === false || property.access === 'write') {
    throw new InvalidArgumentError(`the property ${key} is described as one whose changes are not sent`);
  }
  return property;
}

function isList(changes: readonly string[] | Readonly<Record<string, unknown>>): changes is readonly string[] {
  return Array.isArray(changes);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
