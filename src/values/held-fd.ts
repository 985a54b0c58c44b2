/**
 * A descriptor's number, which several `FileDescriptor`s may share. It owns the number, and closes it with its last
 * holder.
 */
import { report } from '../diagnostics/problems.js';
import { closeFd, closeReceivedFd, duplicateFd, keepReceivedFd, releaseReceivedFd } from '../native/descriptors.js';

/** An open descriptor and the number of its holders. The last holder that lets go of it closes it. */
export class HeldFd {
  readonly fd: number;
  holders = 1;
  readonly #isOfAddon: boolean;

  /** @param isOfAddon whether the addon received or made the descriptor; otherwise the program did */
  constructor(fd: number, isOfAddon = true) {
    this.fd = fd;
    this.#isOfAddon = isOfAddon;
    if (isOfAddon) keepReceivedFd(fd);
  }

  /** Ends the hold of one holder. */
  letGo(): void {
    if (--this.holders === 0) closeQuietly(this.fd, this.#isOfAddon);
  }

  /**
   * Ends the hold of one holder and returns a number that the caller owns: the number itself for the last holder, else
   * a duplicate.
   */
  take(): number {
    const fd = this.holders > 1 ? duplicateFd(this.fd) : this.fd;
    this.holders--;
    if (this.holders === 0 && this.#isOfAddon) releaseReceivedFd(fd);
    return fd;
  }
}

/** Closes a number, and never throws. */
export function closeQuietly(fd: number, isOfAddon = true): void {
  try {
    if (isOfAddon) closeReceivedFd(fd);
    else closeFd(fd);
  } catch (error) {
    // Other code closed the number. The caller can do nothing about it, so the error is only reported.
    report('descriptor', `closing file descriptor ${fd} failed`, error);
  }
}
