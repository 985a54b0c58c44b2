/**
 * The encoded value of a property, which every message carries. It is checked and encoded once, when it is assigned or
 * read.
 */

import { InvalidArgumentError } from '../../base/errors.js';
import { closeHandedOver, closeMadeByGetters } from '../../codec/close-descriptors.js';
import { encodeContent } from '../../codec/encode-type.js';
import type { EncodedEntry } from '../../codec/encoded-entries.js';
import { BUS_DEPTH_MAXIMUM } from '../../codec/limits.js';
import { Misfit, misfitOf } from '../../codec/misfit.js';
import { shaped } from '../../codec/shaped-value.js';
import { cureOfUnset, refusalOfReturned, valueRefusal } from '../../codec/value-refusal.js';
import { type OutgoingFd, Writer } from '../../codec/writer.js';
import { reportMisfit } from '../../diagnostics/problems.js';
import type { PropertyDescription } from '../../interface/description.js';
import { isOpenFd } from '../../native/descriptors.js';

/**
 * The depth at which GetManagedObjects has a value, `a{oa{sa{sv}}}`: a value that is not too deep there is not too deep
 * in any message.
 */
export const NESTING = 6;

/**
 * Up to this number of bytes, entries share memory: a buffer for each entry would cost more than writing it. A new
 * writer has room for them and need not grow.
 */
const SHARED_BYTES = 14 * 1024;

/** An object with properties, as reports name it. */
interface NamesProperties {
  nameOf(property: PropertyDescription): string;
}

/**
 * The idle writer; nothing while a value is being encoded, because the program's code may then assign another property.
 */
let idle: Writer | undefined;

/**
 * Checks a value, and encodes it if it will be sent.
 *
 * @param isSent whether the entry is wanted
 * @param key the program's name for the property, for the text of an error
 * @returns the entry if it is wanted
 * @throws {@link InvalidArgumentError} with the property's name and the path within its value
 */
export function encodeEntry(
  { name, signature, shape }: PropertyDescription,
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
    encodeContent(writer, NESTING, signature, shaped(shape, value));
    // Checked now: if it failed when a message is sent, all other properties in the message would be lost.
    for (const { fd } of writer.fds) if (!isOpenFd(fd)) throw new Misfit(`file descriptor ${fd} is not open`);
  } catch (error) {
    if (writer.fds.length > 0) closeMadeByGetters(writer.fds, value);
    writer.rewind(start, 0);
    keep(writer);
    const located = misfitOf(value, error);
    throw located instanceof Misfit ? valueRefusal(located, rootOf(key)) : located;
  }
  const { fds } = writer;
  const entry = isSent
    ? { memory: writer.bytes, start, end: writer.position, ...descriptorsOf(name, fds, start) }
    : undefined;
  // What getters opened for a value that is not sent is of no use.
  if (!isSent && fds.length > 0) closeMadeByGetters(fds, value);
  // The encoded value stays in the writer's memory, from which the messages are made.
  writer.rewind(isSent ? writer.position : start, 0);
  keep(writer);
  return entry;
}

function descriptorsOf(key: string, fds: readonly OutgoingFd[], start: number): Pick<EncodedEntry, 'descriptors'> {
  if (fds.length === 0) return {};
  return { descriptors: { key, list: fds.map(({ value, at = 0 }) => ({ value, offset: at - start })) } };
}

/** The name of a property's value in error texts, before the path within the value. */
export function rootOf(name: string): string {
  return `property ${name}`;
}

/** Keeps the writer for the next value, but not the memory of a large value. */
function keep(writer: Writer): void {
  if (writer.position <= SHARED_BYTES && writer.bytes.length <= 2 * SHARED_BYTES) idle = writer;
}

/**
 * Returns the entry of a value that was read. If the value has the wrong type, reports that and returns nothing.
 *
 * @param isReported whether this was reported before
 */
export function fittingEntry(
  owner: NamesProperties,
  property: PropertyDescription,
  value: unknown,
  isReported = false,
): EncodedEntry | undefined {
  try {
    return encodeEntry(property, value, true);
  } catch (error) {
    if (!isReported) {
      const told = refusalOfReturned(error, () => rootOf(property.name), cureOfUnset(value));
      reportMisfit(`${owner.nameOf(property)} does not match its signature "${property.signature}"`, told);
    }
    closeHandedOver(property.signature, value);
    return undefined;
  }
}
