/** Makes pipes: two descriptors of the program's own, one of which is mostly sent to another process. */
import { getSystemErrorName } from 'node:util';
import { LimitsExceededError } from '../base/errors.js';
import { loadAddon } from '../native/load.js';
import { type FileDescriptor, makeOwnedDescriptor } from './file-descriptor.js';
import { HeldFd } from './held-fd.js';

/**
 * Makes a pipe. What is written to the second descriptor is read from the first one. Both belong to the caller and are
 * close-on-exec: programs that this process starts do not inherit them.
 *
 * @example
 * ```ts
 * const [read, write] = await pipe();
 * await files.call.Attach(write.handOver());
 * read.toReadable().pipe(process.stdout);
 * ```
 *
 * @returns the end to read from, and the end to write to
 * @throws (rejects) {@link LimitsExceededError} if the process has reached its limit of descriptors
 */
export async function pipe(): Promise<[read: FileDescriptor, write: FileDescriptor]> {
  const fds = loadAddon().makePipe();
  if (typeof fds === 'number') throw new LimitsExceededError(`no pipe can be made (${getSystemErrorName(fds)})`);
  const [read, write] = fds;
  return [makeOwnedDescriptor(new HeldFd(read)), makeOwnedDescriptor(new HeldFd(write))];
}
