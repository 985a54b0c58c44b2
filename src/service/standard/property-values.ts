/**
 * The values of an interface's properties as they go on the wire: each in a variant of the property's own type.
 * A property that cannot be read, or whose value does not fit its type, is left out and reported; the others go.
 */
import { closeHandedOver, descriptorsIn } from '../../codec/close-descriptors.js';
import { encoderFor } from '../../codec/encoder.js';
import { Writer } from '../../codec/writer.js';
import { timeLimit } from '../../connection/time-limit.js';
import { report } from '../../diagnostics.js';
import { TimeoutError } from '../../errors.js';
import type { PropertyDescription } from '../../introspection/description.js';
import { Variant } from '../../variant.js';
import type { Exportable } from '../exportable.js';
import { isThenable } from '../outlets.js';

export type PropertyValues = Record<string, Variant>;

/** Gives the values of all properties of an interface that can be read. */
export type ReadProperties = (exportable: Exportable) => PropertyValues;

/**
 * Milliseconds that an asynchronous getter has where it is not read for its own sake: one that never settles must not keep
 * everything else back. Waiting twice for that is less than callers wait.
 */
const GETTER_LIMIT = 10_000;

/** How often asynchronous getters are waited for, where each time there are more, or values that changed meanwhile. */
const WAITS = 2;

/** A value that an asynchronous getter came to, and how often the property had changed when it was asked. */
interface Settled {
  readonly value: Variant | undefined;
  readonly changes: number;
}

/**
 * What is made of the values of properties, at once if no getter is asynchronous. Where some are, they are awaited, and it
 * is made again then, of the values that the properties have by that time: changes are sent when they happen, and an older
 * value must not come behind them. For the same reason it has to be sent as soon as it is there.
 */
export function whenRead<Result>(make: (read: ReadProperties) => Result): Result | Promise<Result> {
  const reading = new Reading();
  const first = make((exportable) => reading.read(exportable));
  if (!reading.isWaiting) return first;
  return new Promise((resolve, reject) => {
    const again = (waits: number): void => {
      reading.beginRound();
      const result = make((exportable) => reading.read(exportable));
      // What is not known by now is left out.
      if (reading.isWaiting && waits < WAITS) {
        wait(waits + 1);
        return;
      }
      reading.closeUnsent();
      resolve(result);
    };
    const wait = (waits: number): void => {
      reading
        .settle()
        .then(() => again(waits))
        .catch(reject);
    };
    wait(1);
  });
}

/** The values of properties, read as often as somebody asks; those that take time only as often as they change. */
class Reading {
  readonly #settled = new Map<Exportable, Map<string, Settled>>();
  #waiting: Promise<void>[] = [];
  /** Values that may hold descriptors: those of this round, and all. */
  #ofRound = new Set<Variant>();
  readonly #ofAllRounds = new Set<Variant>();

  /** Everything is read again: what was read before is not sent. */
  beginRound(): void {
    this.#ofRound = new Set();
  }

  /** Closes the descriptors that getters handed over to the message, in values that are not of the last round. */
  closeUnsent(): void {
    if (this.#ofAllRounds.size === 0) return;
    const sent = descriptorsIn([...this.#ofRound]);
    for (const descriptor of descriptorsIn([...this.#ofAllRounds])) {
      if (descriptor.handedOver && !sent.has(descriptor)) descriptor.close();
    }
  }

  /** Whether something that was asked for is not known yet. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Waits for that. */
  async settle(): Promise<void> {
    await Promise.all(this.#waiting.splice(0));
  }

  read(exportable: Exportable): PropertyValues {
    const values: [string, Variant][] = [];
    for (const property of exportable.description.properties.values()) {
      if (property.access === 'write') continue;
      const value = this.#value(exportable, property);
      if (value === undefined) continue;
      values.push([property.name, value]);
      if (!/[hv]/.test(property.signature)) continue;
      this.#ofRound.add(value);
      this.#ofAllRounds.add(value);
    }
    // A property may have any name, `__proto__` as well.
    return Object.fromEntries(values);
  }

  #value(exportable: Exportable, property: PropertyDescription): Variant | undefined {
    const { name } = property;
    const changes = exportable.changesOf(name);
    const settled = this.#settled.get(exportable) ?? new Map<string, Settled>();
    const known = settled.get(name);
    if (known?.changes === changes) return known.value;
    const asked = read(exportable, property);
    if (!(asked instanceof Promise)) return asked;
    this.#settled.set(exportable, settled);
    this.#waiting.push(
      asked.then((value) => {
        settled.set(name, { value, changes });
        if (value !== undefined && /[hv]/.test(property.signature)) this.#ofAllRounds.add(value);
      }),
    );
    return undefined;
  }
}

function read(
  exportable: Exportable,
  property: PropertyDescription,
): Variant | undefined | Promise<Variant | undefined> {
  const what = `the property ${exportable.description.name}.${property.name}`;
  const failed = (error: unknown): undefined => {
    report('handler', `${what} could not be read and is left out`, error);
  };
  try {
    const value = exportable.getProperty(property.name);
    if (isThenable(value))
      return inTime(value)
        .then((settled) => fitting(what, property, settled))
        .catch(failed);
    return fitting(what, property, value);
  } catch (error) {
    return failed(error);
  }
}

async function inTime(value: PromiseLike<unknown>): Promise<unknown> {
  const tooLate = Symbol('too late');
  const { promise, give } = timeLimit(GETTER_LIMIT, false);
  const settled = await Promise.race([value, promise.then(() => tooLate)]).finally(give);
  if (settled === tooLate) throw new TimeoutError(`the getter took longer than ${GETTER_LIMIT} ms`);
  return settled;
}

const scratch = new Writer();

/** The value in a variant of the property's type, or nothing (and a report) if it does not fit. */
export function fitting(what: string, { signature }: PropertyDescription, value: unknown): Variant | undefined {
  try {
    scratch.beginMessage();
    encoderFor(signature)(scratch, [value]);
    return new Variant(signature, value);
  } catch (error) {
    report('misfit', `${what} has a value that does not fit "${signature}" and is left out`, error);
    closeHandedOver(signature, value);
    return undefined;
  } finally {
    scratch.reset();
  }
}
