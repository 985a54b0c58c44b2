/**
 * The values of an interface's properties as they go on the wire: each in a variant of the property's own type.
 * A property that cannot be read, or whose value does not fit its type, is left out and reported; the others go.
 */
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
 * everything else back. It is less than callers wait.
 */
const GETTER_LIMIT = 10_000;

/**
 * What is made of the values of properties, at once if no getter is asynchronous. Where some are, they are awaited, and it
 * is made again then, of the values that the other properties have by that time: changes are sent when they happen, and
 * an older value must not come behind them. For the same reason it has to be sent as soon as it is there.
 */
export function whenRead<Result>(make: (read: ReadProperties) => Result): Result | Promise<Result> {
  const settled = new Map<Exportable, Map<string, Variant | undefined>>();
  const attempt = () => {
    const waiting: Promise<void>[] = [];
    return { waiting, result: make((exportable) => readProperties(exportable, settled, waiting)) };
  };
  const first = attempt();
  if (first.waiting.length === 0) return first.result;
  return new Promise((resolve, reject) => {
    const retry = (waiting: readonly Promise<void>[]): void => {
      const next = () => {
        const again = attempt();
        if (again.waiting.length === 0) resolve(again.result);
        else retry(again.waiting);
      };
      Promise.all(waiting).then(next).catch(reject);
    };
    retry(first.waiting);
  });
}

function readProperties(
  exportable: Exportable,
  settled: Map<Exportable, Map<string, Variant | undefined>>,
  waiting: Promise<void>[],
): PropertyValues {
  const values: [string, Variant][] = [];
  for (const property of exportable.description.properties.values()) {
    if (property.access === 'write') continue;
    const { name } = property;
    const known = settled.get(exportable);
    const value = known?.has(name) ? known.get(name) : read(exportable, property);
    if (value instanceof Promise) {
      const keep = known ?? new Map<string, Variant | undefined>();
      settled.set(exportable, keep);
      waiting.push(value.then((variant) => void keep.set(name, variant)));
    } else if (value !== undefined) {
      values.push([name, value]);
    }
  }
  // A property may have any name, `__proto__` as well.
  return Object.fromEntries(values);
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
    return undefined;
  } finally {
    scratch.reset();
  }
}
