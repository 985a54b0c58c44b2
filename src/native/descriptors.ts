/**
 * Descriptors by their numbers, whoever opened them. Deno's `node:fs` takes only those that it opened itself and says
 * EBADF to others, received ones among them; there the addon is asked.
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

/** @throws {@link InvalidArgumentError} if the number, which is to be sent, is not open */
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
    // First, because Deno would go on to believe that one of its own is open.
    closeSync(fd);
  } catch (error) {
    if (!isDeno || loadAddon().closeFd(fd) !== 0) throw error;
  }
}

/**
 * Closes a descriptor that the addon received or duplicated. Not by `node:fs`, which warns in a worker of each that it did
 * not open there.
 *
 * @throws Error if the number is not open
 */
export function closeReceivedFd(fd: number): void {
  const result = loadAddon().closeFd(fd);
  if (result < 0) throw new Error(`close: ${getSystemErrorName(result)}`);
}

/** Has a received descriptor closed with this thread, if it is a worker: it may be terminated while it holds some. */
export function keepReceivedFd(fd: number): void {
  if (!isMainThread) loadAddon().keepFd(fd);
}

/** Whoever takes the number closes it. */
export function releaseReceivedFd(fd: number): void {
  if (!isMainThread) loadAddon().releaseFd(fd);
}

/**
 * A duplicate of an open descriptor, which is not 0, 1 or 2 and is closed in programs that are run.
 *
 * @throws {@link InvalidArgumentError} if the number is not open
 * @throws {@link LimitsExceededError} if the process has as many descriptors as it may have
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
