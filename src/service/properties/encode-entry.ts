/** A property's value as every message carries it: checked and marshalled once, when it is assigned or read. */

import { InvalidArgumentError } from '../../base/errors.js';
import { closeHandedOver } from '../../codec/close-descriptors.js';
import { encodeContent } from '../../codec/encode-type.js';
import type { EncodedEntry } from '../../codec/encoded-entries.js';
import { BUS_DEPTH_MAXIMUM } from '../../codec/limits.js';
import { Misfit, misfitOf } from '../../codec/misfit.js';
import { cureOfUnset, refusalOfReturned, valueRefusal } from '../../codec/value-refusal.js';
import { Writer } from '../../codec/writer.js';
import { reportMisfit } from '../../diagnostics/problems.js';
import type { PropertyDescription } from '../../interface/description.js';
import { isOpenFd } from '../../native/descriptors.js';
import { receivedVariant } from '../../values/variant.js';

/** The containers that GetManagedObjects has a value in, `a{oa{sa{sv}}}`: what is not too deep there is so nowhere. */
const NESTING = 6;

/**
 * Entries share memory up to so many bytes: each would cost more to make by itself than to write. A new writer has room for
 * them, and need not grow.
 */
const SHARED_BYTES = 14 * 1024;

/** What has properties, as reports name them. */
interface NamesProperties {
  nameOf(property: PropertyDescription): string;
}

/** Nothing while a value is being written: code of the program's that runs then may assign another property. */
let idle: Writer | undefined;

/**
 * Checks a value, and marshals it where it is to be sent.
 *
 * @param isSent whether the entry is wanted
 * @param key what the program calls the property, for the text of an error
 * @returns the entry if it is wanted
 * @throws {@link InvalidArgumentError} with the property's name and the path within its value
 */
export function encodeEntry(
  { name, signature }: PropertyDescription,
  value: unknown,
  isSent: boolean,
  key = name,
): EncodedEntry | undefined {
  const writer = idle ?? new Writer(BUS_DEPTH_MAXIMUM);
  idle = undefined;
  const start = writer.beginMessage();
  try {
    writer.string(name);
    writer.depth = 0;
    encodeContent(writer, NESTING, signature, value);
    // Found out when a message is sent, it would cost all other properties in it.
    for (const { fd } of writer.fds) if (!isOpenFd(fd)) throw new Misfit(`file descriptor ${fd} is not open`);
  } catch (error) {
    writer.rewind(start, 0);
    keep(writer);
    const located = misfitOf(value, error);
    throw located instanceof Misfit ? valueRefusal(located, rootOf(key)) : located;
  }
  const descriptors = writer.fds.length;
  const end = writer.position;
  // What is wanted stays as it was written: whoever sends it reads it from there.
  if (!isSent || descriptors > 0) writer.rewind(start, 0);
  keep(writer);
  if (!isSent) return undefined;
  return descriptors > 0
    ? [name, receivedVariant(signature, value), descriptors]
    : { memory: writer.bytes, start, end };
}

/** What the value of a property is called where it does not fit, before the path within it. */
export function rootOf(name: string): string {
  return `property ${name}`;
}

/** The memory of a large value is not kept for the next one. */
function keep(writer: Writer): void {
  if (writer.position <= SHARED_BYTES && writer.bytes.length <= 2 * SHARED_BYTES) idle = writer;
}

/** The entry of a value that was read; nothing, and a report, if the value does not fit. */
export function fittingEntry(
  owner: NamesProperties,
  property: PropertyDescription,
  value: unknown,
): EncodedEntry | undefined {
  try {
    return encodeEntry(property, value, true);
  } catch (error) {
    const told = refusalOfReturned(error, () => rootOf(property.name), cureOfUnset(value));
    reportMisfit(`${owner.nameOf(property)} does not fit its signature "${property.signature}"`, told);
    closeHandedOver(property.signature, value);
    return undefined;
  }
}
