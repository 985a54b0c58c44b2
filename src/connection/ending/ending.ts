/**
 * Ends a connection. `flush`, `close` and the exit of the process write the queued bytes first. Bytes that are never
 * written are reported, and so is a loss that the program would not notice.
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
  /** The number of the connection in diagnostics. */
  readonly id: number;
  /** The address of the other side; empty for a client that was accepted. */
  readonly address: string;
  /** Whether the other side is a peer, and not a bus. */
  readonly isPeer: boolean;
  /** Whether a program carries the stream, which may have read what the other side has not. */
  readonly isRelayed: boolean;
  readonly native: Pick<NativeConnection, 'close' | 'endSending' | 'flush'>;
  readonly life: Lifecycle;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly keepAlive: KeepAlive;
}

export class Ending {
  /** Whether the program waits for the end of the connection, so that it notices a loss. */
  isAskedFor = false;
  /** Whether the other side was told that nothing more will be sent: that it closes its end then is no loss. */
  hasEndedSending = false;
  readonly id: number;
  readonly #options: EndingOptions;
  #closing: Promise<void> | undefined;
  /** The time limit for closing. */
  #limit: TimeLimit | undefined;

  constructor(options: EndingOptions) {
    this.id = options.id;
    this.#options = options;
  }

  /** A description of the other side. */
  get where(): string {
    const { address, isPeer } = this.#options;
    if (this.isAccepted) return 'a client';
    return `the ${isPeer ? 'peer' : 'bus'} at ${address}`;
  }

  get isAccepted(): boolean {
    return this.#options.address === '';
  }

  get queuedBytes(): number {
    return this.#options.outbox.waiting();
  }

  /** Called when the connection is open. From now on bytes may have to be written. */
  open(): void {
    const { address, isPeer } = this.#options;
    flushAtExit(this);
    if (!isPeer) forgetLossOf(address);
  }

  /**
   * Resolves when the kernel has taken all bytes that were sent; immediately if the connection is closed.
   *
   * @throws (rejects) the reason of the loss, or a {@link ConnectionClosedError} after `close`, if some bytes were
   *   never written
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

  /**
   * Writes the queued bytes and waits until the other side has read them, blocking for at most `milliseconds`; for a
   * process that is about to exit. Returns whether all were read.
   */
  flushNow(milliseconds: number): boolean {
    const { native, outbox, sender } = this.#options;
    sender.letOutFirst();
    outbox.writeThrough();
    return native.flush(milliseconds);
  }

  /** Writes the queued bytes while the process exits. */
  flushWhileExiting(): void {
    flushWhileExiting(this);
  }

  /**
   * Writes the queued bytes and waits until the other side has read them, until the limit has passed; then closes.
   * Waiting calls reject. A second call returns the same promise.
   */
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
      // When the connection has ended, bytes that could not be written are reported.
      const read = outbox.drained().then(
        () => this.#untilRead(),
        () => {},
      );
      await Promise.race([read, limit.over]);
      release();
    }
    limit.end();
    native.close();
    await life.closed;
  }

  /**
   * Resolves when the other side has read everything that was written. A bus that writes to a closed socket before that
   * fails, and drops what it has not read.
   */
  async #untilRead(): Promise<void> {
    const { isRelayed, life, native } = this.#options;
    this.hasEndedSending = native.endSending(isRelayed);
    if (this.hasEndedSending) await life.closed;
  }

  /**
   * Called when the connection has ended, with the reason if it was lost.
   *
   * @param wasOpen whether the connection was lost before the program closed it
   */
  end(reason: DBusError | undefined, wasOpen: boolean): void {
    const { keepAlive, outbox } = this.#options;
    forgetAtExit(this);
    if (wasOpen && reason !== undefined) this.#tellIfUnheard(reason);
    keepAlive.end();
    this.#reportUnwritten(outbox.end(reason), reason);
  }

  /**
   * Warns about a loss that the program would not notice, but only for a bus: peers come and go, while programs rely on
   * the bus.
   */
  #tellIfUnheard(reason: DBusError): void {
    const { address, isPeer, keepAlive } = this.#options;
    if (isPeer || this.isAskedFor || !keepAlive.keepsAliveInSilence) return;
    tellUnheardLoss(address, reason, () => this.isAskedFor);
  }

  /**
   * Reports bytes that the kernel had not taken: the program was told that they would be sent. Of bytes that the kernel
   * had taken, it is unknown whether they were read.
   */
  #reportUnwritten(bytes: number, reason: DBusError | undefined): void {
    if (bytes === 0) return;
    // A program that closes with a limit of 0 does not want to wait, and one that loses the connection gets an error.
    const isGivenUp = reason === undefined && this.#limit?.isAtOnce === false;
    const what = `up to ${bytes} queued bytes${isGivenUp ? ` for ${this.where}` : ''} were lost`;
    const text = `${what}: ${reason === undefined ? 'the other side did not read in time' : reason.message}`;
    if (isGivenUp) tellUnwritten(text, this);
    else report('send', text, undefined, this.id);
  }
}
