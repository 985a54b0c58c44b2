/**
 * Counts the received descriptors that are on loan to handlers and listeners, by sender. A message that would exceed
 * the limit is refused, which affects only its sender: other senders have a limit of their own. All senders together
 * have a limit a few times as high, because one process can have several connections to a bus.
 */

/** All senders together may have this many times the limit of one. */
const SENDERS = 4;

/** The key of the one peer of a connection without a bus. */
const PEER = '';

export class DescriptorLoans {
  readonly #limit: number;
  readonly #bySender = new Map<string, number>();
  #total = 0;

  /** @param limit the limit of one sender: `limits.descriptors` */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The reason why this many more descriptors are refused; `undefined` if they are accepted. */
  refusal(sender: string | undefined, count: number): string | undefined {
    const held = this.#bySender.get(sender ?? PEER) ?? 0;
    if (held + count <= this.#limit && this.#total + count <= this.#limit * SENDERS) return undefined;
    const others = this.#total - held;
    return `the message has ${count} file descriptors, ${held} of its sender are in use (and ${others} of other senders), and limits.descriptors is ${this.#limit}`;
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
