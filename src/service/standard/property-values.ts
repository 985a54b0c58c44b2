/**
 * The values of an interface's properties as they go on the wire: each in a variant of the property's own type.
 * A property that cannot be read, or whose value does not fit its type, is left out and reported; the others go.
 */
import { encoderFor } from '../../codec/encoder.js';
import { Writer } from '../../codec/writer.js';
import { report } from '../../diagnostics.js';
import type { PropertyDescription } from '../../introspection/description.js';
import { Variant } from '../../variant.js';
import type { Exportable } from '../exportable.js';
import { isThenable } from '../outlets.js';

export type PropertyValues = Record<string, Variant>;

/** The values of all properties that can be read; at once, if no getter is asynchronous. */
export function readableProperties(exportable: Exportable): PropertyValues | Promise<PropertyValues> {
  const reads: (Variant | undefined | Promise<Variant | undefined>)[] = [];
  const names: string[] = [];
  for (const property of exportable.description.properties.values()) {
    if (property.access === 'write') continue;
    names.push(property.name);
    reads.push(read(exportable, property));
  }
  const collect = (values: readonly (Variant | undefined)[]) => {
    const entries = names.map((name, index) => [name, values[index]] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, Variant] => entry[1] !== undefined));
  };
  if (reads.some((value) => value instanceof Promise)) return Promise.all(reads).then(collect);
  return collect(reads as (Variant | undefined)[]);
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
    if (isThenable(value)) return Promise.resolve(value).then((settled) => fitting(what, property, settled), failed);
    return fitting(what, property, value);
  } catch (error) {
    return failed(error);
  }
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
