/**
 * How a connection ends: what was sent is written before, by `flush`, by `close`, or while the process exits, and what was not
 * is told of. So is a loss that the program would not hear of.
 */

import type { DBusError } from '../../base/errors.js';
import { report } from '../../diagnostics/problems.js';
import type { NativeConnection } from '../../native/binding.js';
import type { KeepAlive } from '../keep-alive.js';
import type { Lifecycle } from '../lifecycle.js';
import type { Outbox } from '../sending/outbox.js';
import type { Sender } from '../sending/sender.js';
import { tellUnwritten } from '../sending/tell-unwritten.js';
import type { TimeLimit } from '../time-limit.js';
import { flushAtExit, flushWhileExiting, forgetAtExit } from './exit.js';
import { forgetLossOf, tellUnheardLoss } from './unheard-loss.js';

export interface EndingOptions {
  /** The number by which diagnostics call the connection. */
  readonly id: number;
  /** Where it leads; empty for a client that was accepted. */
  readonly address: string;
  /** Whether the other side is no bus. */
  readonly isPeer: boolean;
  readonly native: Pick<NativeConnection, 'close' | 'flush'>;
  readonly life: Lifecycle;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly keepAlive: KeepAlive;
}

export class Ending {
  /** Whether the program asks for the end of the connection, so that it hears of a loss. */
  isAskedFor = false;
  readonly id: number;
  readonly #options: EndingOptions;
  #closing: Promise<void> | undefined;
  /** Within which it is closed. */
  #limit: TimeLimit | undefined;

  constructor(options: EndingOptions) {
    this.id = options.id;
    this.#options = options;
  }

  /** Where the connection leads, in words. */
  get where(): string {
    const { address, isPeer } = this.#options;
    if (this.isAccepted) return 'a client';
    return `the ${isPeer ? 'peer' : 'bus'} at ${address}`;
  }

  get isAccepted(): boolean {
    return this.#options.address === '';
  }

  get queuedBytes(): number {
    return this.#options.outbox.queuedBytes;
  }

  /** The connection is open: from now on something may have to be written. */
  open(): void {
    const { address, isPeer } = this.#options;
    flushAtExit(this);
    if (!isPeer) forgetLossOf(address);
  }

  /**
   * Settles when the kernel has taken everything that was sent; at once if the connection is closed.
   *
   * @throws (rejects) the reason of the loss, or a {@link ConnectionClosedError} after `close`, if some of it was never written
   */
  async flush(): Promise<void> {
    const { life, outbox, sender, keepAlive } = this.#options;
    if (life.state === 'closed') return;
    sender.letOutFirst();
    const release = keepAlive.hold();
    try {
      await outbox.drained();
      const reason = sender.isBroken ? await life.closed : undefined;
      if (reason !== undefined) throw reason;
    } finally {
      release();
    }
  }

  /** Writes what was sent, blocking for at most `milliseconds`: for a process that is about to exit. Returns whether that is all. */
  flushNow(milliseconds: number): boolean {
    const { native, outbox, sender } = this.#options;
    sender.letOutFirst();
    outbox.writeThrough();
    native.flush(milliseconds);
    return outbox.waiting() === 0;
  }

  /** Writes what was sent while the process exits. */
  flushWhileExiting(): void {
    flushWhileExiting(this);
  }

  /** Writes what was sent, until the limit, and closes. Calls that wait reject. The second time it is the same. */
  close(limit: TimeLimit): Promise<void> {
    this.#closing ??= this.#writeAndClose(limit);
    return this.#closing;
  }

  async #writeAndClose(limit: TimeLimit): Promise<void> {
    const { life, native, outbox, sender, keepAlive } = this.#options;
    this.#limit = limit;
    if (life.carriesMessages) {
      life.beginToClose();
      sender.letOutFirst();
      life.stopCarrying();
      const release = keepAlive.hold();
      // What could not be written is reported when the connection is over.
      const drained = outbox.drained().catch(() => {});
      await Promise.race([drained, limit.over]);
      release();
    }
    limit.end();
    native.close();
    await life.closed;
  }

  /**
   * The connection is over, for this reason if it was lost.
   *
   * @param wasOpen whether it had not been closed here
   */
  end(reason: DBusError | undefined, wasOpen: boolean): void {
    const { keepAlive, outbox } = this.#options;
    forgetAtExit(this);
    if (wasOpen && reason !== undefined) this.#tellIfUnheard(reason);
    keepAlive.end();
    this.#reportUnwritten(outbox.end(reason), reason);
  }

  /** Peers come and go; a bus stays, and programs that do not ask take it for granted. */
  #tellIfUnheard(reason: DBusError): void {
    const { address, isPeer, keepAlive } = this.#options;
    if (isPeer || this.isAskedFor || !keepAlive.keepsAliveInSilence) return;
    tellUnheardLoss(address, reason, () => this.isAskedFor);
  }

  /** What the kernel had not taken was promised to the program. Of what it had taken, nothing tells whether it was read. */
  #reportUnwritten(bytes: number, reason: DBusError | undefined): void {
    if (bytes === 0) return;
    // A program that closes at once wants no time for that, and one that loses the connection hears of the loss.
    const isGivenUp = reason === undefined && this.#limit?.isAtOnce === false;
    const what = `${bytes} bytes of what was sent${isGivenUp ? ` to ${this.where}` : ''}, at most, were never written`;
    const text = `${what}: ${reason === undefined ? 'the other side did not read in time' : reason.message}`;
    if (isGivenUp) tellUnwritten(text, this);
    else report('send', text, undefined, this.id);
  }
}
