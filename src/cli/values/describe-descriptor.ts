/** What a received file descriptor refers to: its number means nothing to a reader. */
import { readlinkSync } from 'node:fs';
import type { FileDescriptor } from '../../index.js';

/** `pipe:[4711]`, or the path of a file. */
export function describeDescriptor({ fd }: FileDescriptor): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return 'file descriptor';
  }
}
