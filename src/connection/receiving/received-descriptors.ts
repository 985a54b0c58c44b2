/**
 * The descriptors of one message, and their holders. The message holds them while it is delivered. Each receiver that
 * decodes it holds them as well, by a _claim_. The last holder that lets go of a descriptor closes it. So the holders
 * need not know of one another, and no descriptor stays open.
 */
import {
  endLoanOf,
  type FileDescriptor,
  keepDescriptor,
  lendDescriptor,
  makeOwnedDescriptor,
} from '../../values/file-descriptor.js';
import { HeldFd } from '../../values/held-fd.js';
import type { DescriptorLoans } from './descriptor-loans.js';

export class ReceivedDescriptors {
  readonly #fds: readonly HeldFd[];
  readonly #loans: DescriptorLoans;
  readonly #sender: string | undefined;
  /** Whether the message itself holds the descriptors. */
  #isHeld = true;
  #isLastClaim = false;
  /** The number of claims on loan that have not ended. */
  #lent = 0;

  constructor(fds: readonly number[], loans: DescriptorLoans, sender: string | undefined) {
    this.#fds = fds.map((fd) => new HeldFd(fd));
    this.#loans = loans;
    this.#sender = sender;
  }

  get count(): number {
    return this.#fds.length;
  }

  /** Announces that the next claim is the last: it takes over the hold of the message. */
  expectLastClaim(): void {
    this.#isLastClaim = true;
  }

  /** Called when the message has been delivered. Closes the descriptors that no receiver claimed. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const held of this.#fds) held.letGo();
  }

  /** @internal the descriptors for a claim, with a hold on each */
  share(isLent: boolean): readonly FileDescriptor[] {
    const isTakenOver = this.#isLastClaim && this.#isHeld;
    if (isTakenOver) this.#isHeld = false;
    if (isLent && this.#lent++ === 0) this.#loans.begin(this.#sender, this.count);
    const descriptorOf = isLent ? lendDescriptor : makeOwnedDescriptor;
    return Object.freeze(
      this.#fds.map((held) => {
        // After the message was released, an unclaimed descriptor is closed, and its number may have been reused.
        if (held.holders === 0) return lendDescriptor(undefined);
        if (!isTakenOver) held.holders++;
        return descriptorOf(held);
      }),
    );
  }

  /** @internal ends a claim that was on loan */
  return(): void {
    if (--this.#lent === 0) this.#loans.end(this.#sender, this.count);
  }
}

/** The claim of one receiver to the descriptors of a message: the same objects, however often it decodes the body. */
export class Claim {
  readonly #received: ReceivedDescriptors;
  #isLent: boolean;
  #isOver = false;
  #descriptors: readonly FileDescriptor[] | undefined;
  /** Whether the message lists all descriptors; otherwise only its values contain them. */
  readonly isShown: boolean;

  /** @param isLent whether the {@link end} closes them; otherwise the receiver owns them */
  constructor(received: ReceivedDescriptors, isLent: boolean, isShown: boolean) {
    this.#received = received;
    this.#isLent = isLent;
    this.isShown = isShown;
  }

  /** The descriptors, which are held from the first access on. After the end of the claim, they are closed. */
  get descriptors(): readonly FileDescriptor[] {
    this.#descriptors ??= this.#isOver
      ? Array.from({ length: this.#received.count }, () => lendDescriptor(undefined))
      : this.#received.share(this.#isLent);
    return this.#descriptors;
  }

  /** Makes the receiver the owner of the descriptors. */
  keep(): void {
    this.keepCounted()?.();
  }

  /**
   * Makes the receiver, which does not have them yet, the owner of the descriptors. They count as in use until the
   * returned function is called, once. It is `undefined` if there is nothing to count.
   */
  keepCounted(): (() => void) | undefined {
    if (!this.#isLent || this.#isOver) return undefined;
    this.#isLent = false;
    if (this.#descriptors === undefined) return undefined;
    for (const descriptor of this.#descriptors) keepDescriptor(descriptor);
    return () => this.#received.return();
  }

  /** Ends the loan: closes the descriptors that were not taken. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isLent || this.#descriptors === undefined) return;
    for (const descriptor of this.#descriptors) endLoanOf(descriptor);
    this.#received.return();
  }

  /**
   * Ends the loan now, or when the promise settles that the receiver returned. The receiver may read the body for the
   * first time before that, when the message has been released, so the claim holds the descriptors from now on.
   */
  endWith(result: unknown): void {
    const end = () => this.end();
    if (this.#isOver || !isThenable(result)) {
      end();
      return;
    }
    this.#descriptors ??= this.#received.share(this.#isLent);
    result.then(end, end);
  }

  /** Closes all descriptors, lent or owned: the decoded values are not delivered. */
  close(): void {
    for (const descriptor of this.#descriptors ?? []) descriptor.close();
    this.end();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
