/**
 * The descriptors that one message brought, and who has them. The message holds them while it is handed out; each who gets
 * it and decodes it holds them too, by a _claim_. Whoever is the last to let go of one closes it, so that none needs to
 * know of the others, and none is left open.
 */
import {
  endLoanOf,
  type FileDescriptor,
  HeldFd,
  keepDescriptor,
  lendDescriptor,
  makeOwnedDescriptor,
} from '../../values/file-descriptor.js';
import type { DescriptorLoans } from './descriptor-loans.js';

export class ReceivedDescriptors {
  readonly #fds: readonly HeldFd[];
  readonly #loans: DescriptorLoans;
  readonly #sender: string | undefined;
  /** Whether the message itself holds them. */
  #isHeld = true;
  #isLastClaim = false;
  /** Claims that are on loan, and not over. */
  #lent = 0;

  constructor(fds: readonly number[], loans: DescriptorLoans, sender: string | undefined) {
    this.#fds = fds.map((fd) => new HeldFd(fd));
    this.#loans = loans;
    this.#sender = sender;
  }

  get count(): number {
    return this.#fds.length;
  }

  /** Whoever claims next is the last one who can: it takes over the message's hold. */
  expectLastClaim(): void {
    this.#isLastClaim = true;
  }

  /** The message has been handed out: those that nobody claimed are closed. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const held of this.#fds) held.letGo();
  }

  /** @internal a hold for each, for a claim */
  share(isLent: boolean): readonly FileDescriptor[] {
    const isTakenOver = this.#isLastClaim && this.#isHeld;
    if (isTakenOver) this.#isHeld = false;
    if (isLent && this.#lent++ === 0) this.#loans.begin(this.#sender, this.count);
    const descriptorOf = isLent ? lendDescriptor : makeOwnedDescriptor;
    return Object.freeze(
      this.#fds.map((held) => {
        // When the message is gone, what was not claimed before is closed: the number may be another's.
        if (held.holders === 0) return lendDescriptor(undefined);
        if (!isTakenOver) held.holders++;
        return descriptorOf(held);
      }),
    );
  }

  /** @internal a claim that was on loan is over */
  return(): void {
    if (--this.#lent === 0) this.#loans.end(this.#sender, this.count);
  }
}

/** What one who gets a message has of its descriptors: the same objects however often it decodes the body. */
export class Claim {
  readonly #received: ReceivedDescriptors;
  #isLent: boolean;
  #isOver = false;
  #descriptors: readonly FileDescriptor[] | undefined;
  /** Whether a message shows all of them; otherwise there are those in its values. */
  readonly isShown: boolean;

  /** @param isLent whether they are closed at the {@link end}; otherwise they belong to whoever gets them */
  constructor(received: ReceivedDescriptors, isLent: boolean, isShown: boolean) {
    this.#received = received;
    this.#isLent = isLent;
    this.isShown = isShown;
  }

  /** They are held from when they are asked for first. When the claim is over, there are only closed ones. */
  get descriptors(): readonly FileDescriptor[] {
    this.#descriptors ??= this.#isOver
      ? Array.from({ length: this.#received.count }, () => lendDescriptor(undefined))
      : this.#received.share(this.#isLent);
    return this.#descriptors;
  }

  /** Makes them belong to whoever gets them. */
  keep(): void {
    this.keepCounted()?.();
  }

  /**
   * Makes them belong to whoever gets them, who does not have them yet: they count as being in use until the returned
   * function is called, which is to be done once. There is none where there is nothing to count.
   */
  keepCounted(): (() => void) | undefined {
    if (!this.#isLent || this.#isOver) return undefined;
    this.#isLent = false;
    if (this.#descriptors === undefined) return undefined;
    for (const descriptor of this.#descriptors) keepDescriptor(descriptor);
    return () => this.#received.return();
  }

  /** Ends the loan: closes those that were not taken. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isLent || this.#descriptors === undefined) return;
    for (const descriptor of this.#descriptors) endLoanOf(descriptor);
    this.#received.return();
  }

  /**
   * Ends the loan now, or when the promise settles that whoever had it returned: it may look at the body for the first time
   * before that, when the message is gone, so the claim holds them from now on.
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

  /** Closes all, whosever they are: nobody gets what was decoded. */
  close(): void {
    for (const descriptor of this.#descriptors ?? []) descriptor.close();
    this.end();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
