/**
 * How many received descriptors are on loan to handlers and listeners, by sender. A message that would exceed the limit is
 * refused, and costs only its sender: others may have as many of their own. All together may have a few times as many,
 * because a process can take part in a bus more than once.
 */

/** By how much all senders together may exceed the limit of one. */
const SENDERS = 4;

/** Stands for the one peer where there is no bus. */
const PEER = '';

export class DescriptorLoans {
  readonly #limit: number;
  readonly #bySender = new Map<string, number>();
  #total = 0;

  /** @param limit of one sender: `limits.descriptors` */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Why so many more cannot be had, or nothing where they can. */
  refusal(sender: string | undefined, count: number): string | undefined {
    const held = this.#bySender.get(sender ?? PEER) ?? 0;
    if (held + count <= this.#limit && this.#total + count <= this.#limit * SENDERS) return undefined;
    const others = this.#total - held;
    return `the message brings ${count} file descriptors to ${held} that are in use (and ${others} of other senders), and limits.descriptors is ${this.#limit}`;
  }

  begin(sender: string | undefined, count: number): void {
    this.#bySender.set(sender ?? PEER, (this.#bySender.get(sender ?? PEER) ?? 0) + count);
    this.#total += count;
  }

  end(sender: string | undefined, count: number): void {
    const left = (this.#bySender.get(sender ?? PEER) ?? 0) - count;
    if (left > 0) this.#bySender.set(sender ?? PEER, left);
    else this.#bySender.delete(sender ?? PEER);
    this.#total -= count;
  }
}
