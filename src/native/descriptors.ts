/**
 * Operations on descriptors by number, whichever code opened them. Deno's `node:fs` accepts only descriptors that it
 * opened itself and fails with EBADF for others, including received ones. For those, these functions use the addon.
 */
import { closeSync, fstatSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { InvalidArgumentError, LimitsExceededError } from '../base/errors.js';
import { loadAddon } from './load.js';

const isDeno = process.versions.deno !== undefined;

/** @throws Error if the number is not open */
function requireOpenFd(fd: number): void {
  try {
    fstatSync(fd);
  } catch (error) {
    if (!isDeno || !isOpenForAddon(fd)) throw error;
  }
}

export function isOpenFd(fd: number): boolean {
  try {
    requireOpenFd(fd);
    return true;
  } catch {
    return false;
  }
}

/** @throws {@link InvalidArgumentError} if the number, which is about to be sent, is not open */
export function checkOpenFd(fd: number): void {
  try {
    requireOpenFd(fd);
  } catch (error) {
    throw new InvalidArgumentError(`file descriptor ${fd} is not open`, { cause: error });
  }
}

/** @throws Error if the number is not open */
export function closeFd(fd: number): void {
  try {
    // `node:fs` comes first, because Deno would otherwise still believe that a descriptor of its own is open.
    closeSync(fd);
  } catch (error) {
    if (!isDeno || loadAddon().closeFd(fd) !== 0) throw error;
  }
}

/**
 * Closes a descriptor that the addon received or duplicated. It does not use `node:fs`, which warns in a worker about
 * each descriptor that it did not open there.
 *
 * @throws Error if the number is not open
 */
export function closeReceivedFd(fd: number): void {
  const result = loadAddon().closeFd(fd);
  if (result < 0) throw new Error(`close: ${getSystemErrorName(result)}`);
}

/**
 * Registers a received descriptor to be closed with this thread if it is a worker, which may be terminated at any time.
 */
export function keepReceivedFd(fd: number): void {
  if (!isMainThread) loadAddon().keepFd(fd);
}

/** Unregisters a descriptor: the code that takes the number closes it. */
export function releaseReceivedFd(fd: number): void {
  if (!isMainThread) loadAddon().releaseFd(fd);
}

/**
 * Duplicates an open descriptor. The duplicate is not 0, 1 or 2, and is close-on-exec.
 *
 * @throws {@link InvalidArgumentError} if the number is not open
 * @throws {@link LimitsExceededError} if the process has reached its limit of descriptors
 */
export function duplicateFd(fd: number): number {
  const copy = loadAddon().duplicateFd(fd);
  if (copy >= 0) return copy;
  const name = getSystemErrorName(copy);
  if (name === 'EBADF') throw new InvalidArgumentError(`file descriptor ${fd} is not open`);
  throw new LimitsExceededError(`file descriptor ${fd} cannot be duplicated: the process has too many (${name})`);
}

function isOpenForAddon(fd: number): boolean {
  const addon = loadAddon();
  const copy = addon.duplicateFd(fd);
  return copy >= 0 && addon.closeFd(copy) === 0;
}
