/**
 * Descriptors by their numbers, whoever opened them. Deno's `node:fs` takes only those that it opened itself and says
 * EBADF to others, received ones among them; there the addon is asked.
 */
import { closeSync, fstatSync } from 'node:fs';
import { loadAddon } from './load.js';

const isDeno = process.versions.deno !== undefined;

/** @throws Error if the number is not open */
export function requireOpenFd(fd: number): void {
  try {
    fstatSync(fd);
  } catch (error) {
    if (!isDeno || !isOpenForAddon(fd)) throw error;
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

function isOpenForAddon(fd: number): boolean {
  const addon = loadAddon();
  const copy = addon.duplicateFd(fd);
  return copy >= 0 && addon.closeFd(copy) === 0;
}
