/** Prints values that were received, and closes the file descriptors among them. */

import { printable } from '../../base/printable.js';
import type { ArgumentDescription } from '../../index.js';
import type { CommandOption } from '../command.js';
import { library } from '../library.js';
import type { Output } from '../output.js';
import { stringWidth } from '../width.js';
import { jsonDoc, Laid, layOut } from './layout.js';
import { jsonValue, jsonValues, readableValue } from './print.js';

/** How received values are decoded everywhere in the command line: with all types, and in the order of the wire. */
export const decoding = { variants: 'wrap', dictionaries: 'map' } as const;

export const rawOption: CommandOption = {
  flags: '-r, --raw',
  docs: 'print strings as they are, without quotation marks, and arrays of strings one on a line',
};

/** The width of what is laid out for files and programs. */
const PLAIN_WIDTH = 100;

/** The columns that laid out text may take. */
function layoutWidth(output: Output): number {
  return Number.isFinite(output.width) ? output.width : PLAIN_WIDTH;
}

/** Prints plain data as JSON. */
export function showJson(output: Output, data: unknown): void {
  output.line(layOut(jsonDoc(data), layoutWidth(output)));
}

/** Prints the values of a message: one after the other, for a person with the names of the arguments. */
export function showValues(
  output: Output,
  signature: string,
  values: readonly unknown[],
  names: readonly ArgumentDescription[] = [],
): void {
  if (output.json) {
    showJson(output, { type: signature, data: new Laid(jsonValues(signature, values)) });
    return;
  }
  for (const [index, { signature: type }] of library.parseSignature(signature).entries()) {
    showLabelled(output, type, values[index], names.length > 1 ? names[index]?.name : undefined);
  }
}

/**
 * Prints one value, such as that of a property.
 *
 * @param name printed before it for a person, if there are several
 */
export function showValue(output: Output, signature: string, value: unknown, name?: string): void {
  if (output.json) showJson(output, { type: signature, data: new Laid(jsonValue(signature, value)) });
  else showLabelled(output, signature, value, name);
}

function showLabelled(output: Output, signature: string, value: unknown, name: string | undefined): void {
  const label = name === undefined || !output.isTerminal ? '' : `${output.paint('dim', printable(name))} `;
  output.line(label + layOut(readableValue(output, signature, value), layoutWidth(output) - stringWidth(label)));
}

/** Prints the texts among values as they are, for shells: strings, and lists of strings one on a line. */
export function showRaw(output: Output, signature: string, values: readonly unknown[]): void {
  for (const [index, { signature: type }] of library.parseSignature(signature).entries()) {
    const value = values[index];
    if (/^[sog]$/.test(type)) output.line(value as string);
    else if (/^a[sog]$/.test(type)) output.lines(value as string[]);
    else output.line(layOut(readableValue(output, type, value), layoutWidth(output)));
  }
}

/** Closes the file descriptors in a value, which would stay open otherwise. */
export function closeDescriptors(value: unknown): void {
  if (library.FileDescriptor.isFileDescriptor(value)) value.close();
  else if (library.Variant.isVariant(value)) closeDescriptors(value.value);
  else if (Array.isArray(value)) value.forEach(closeDescriptors);
  else if (value instanceof Map) for (const entry of value) closeDescriptors(entry);
}
