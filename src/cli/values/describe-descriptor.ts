/** What a received file descriptor refers to: its number means nothing to a reader. */
import { readlinkSync } from 'node:fs';
import type { FileDescriptor } from '../../index.js';

/** `pipe:[4711]`, or the path of a file; one that is closed by now is not known. */
export function describeDescriptor(descriptor: FileDescriptor): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor.fd}`);
  } catch {
    return 'file descriptor';
  }
}
