/**
 * Receives messages from the addon, batch by batch. Replies go to the calls that they answer, other messages to the
 * layer above. The receiver owns the inbox, from the opening of the connection to its end.
 */

import { report, trace } from '../../diagnostics/problems.js';
import type { InboxMemory } from '../../native/binding.js';
import type { Lifecycle } from '../lifecycle.js';
import { publishReceived, watchesMessages } from '../message-events.js';
import type { BackPressure } from '../sending/back-pressure.js';
import type { Outbox } from '../sending/outbox.js';
import type { PendingCalls } from '../sending/pending-calls.js';
import { CUT_BATCH } from './backlog.js';
import type { BatchMemory } from './batch-memory.js';
import { Inbox } from './inbox.js';
import { Turn } from './turn.js';

export interface ReceiverOptions {
  /** The number of the connection in diagnostics. */
  readonly id: number;
  /** Whether the other side is a peer, and not a bus, so that senders are not verified. */
  readonly isPeer: boolean;
  /** How many received descriptors may be in use at a time. */
  readonly descriptorLimit: number;
  readonly life: Lifecycle;
  readonly outbox: Outbox;
  readonly pending: PendingCalls;
  readonly pressure: BackPressure;
}

export class Receiver {
  /** Called with every method call and signal, in wire order, while it is the current message of the inbox. */
  onMessage: (received: Inbox) => void = () => {};
  /** Called with every reply, after the call that it answers has been settled. */
  onReply: ((received: Inbox) => void) | undefined = undefined;
  messages = 0;
  /** The number of batches that the messages came in. */
  batches = 0;
  /** When the last batch arrived that may have been cut off; see {@link CUT_BATCH}. */
  cutAt = Number.NEGATIVE_INFINITY;
  bodyBytes = 0;
  unexpectedReplies = 0;

  readonly #options: ReceiverOptions;
  readonly #id: number;
  readonly #life: Lifecycle;
  readonly #outbox: Outbox;
  readonly #pending: PendingCalls;
  readonly #pressure: BackPressure;
  readonly #turn = new Turn();
  /** Made when the connection opens and released when it ends: it keeps all header strings. */
  #inbox!: Inbox;
  /** Whether rows of the inbox are being handled. */
  #isHandling = false;
  /** Whether a reply of the batch has settled a call: a pause is due before the next message that is not a reply. */
  #settled = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#id = options.id;
    this.#life = options.life;
    this.#outbox = options.outbox;
    this.#pending = options.pending;
    this.#pressure = options.pressure;
  }

  /** Called when the connection is open. */
  open(): void {
    const { id, isPeer, descriptorLimit } = this.#options;
    this.#inbox = new Inbox(id, !isPeer, descriptorLimit);
  }

  /**
   * Handles a batch, or the rest of one. After a reply to a waiting call, there is a pause before the next signal or
   * call: by then, the subscriptions of the code that awaits the call must be in force. When the turn has used its
   * time, the rest is left for the next turn.
   */
  takeBatch(
    memory: InboxMemory,
    from: number,
    count: number,
    newStrings: number,
    large: ArrayBuffer | undefined,
    milliseconds: number,
  ): number {
    // The addon lends what `addonWithMemory` had it make.
    this.#inbox.use(memory as BatchMemory);
    this.#inbox.intern(newStrings, large);
    this.#outbox.gather();
    this.#settled = false;
    if (from === 0) this.batches++;
    // A single message needs no clock.
    const isMeasured = count - from > 1;
    if (count >= CUT_BATCH && from === 0) this.cutAt = performance.now();
    this.#isHandling = true;
    const next = isMeasured
      ? this.#handleMeasured(from, count, large, milliseconds)
      : this.#handleRows(from, count, large);
    this.#isHandling = false;
    if (next === count) this.#inbox.endBatch();
    this.#outbox.flush();
    if (this.#life.state === 'closed') this.#letGoOfMemory();
    return next;
  }

  /** Called when the connection has ended. */
  end(): void {
    if (!this.#isHandling) this.#letGoOfMemory();
  }

  /** Releases the inbox: a program may keep a connection for long after its end. */
  #letGoOfMemory(): void {
    this.#inbox = undefined as unknown as Inbox;
  }

  /** Handles rows until a pause is due, or the turn has used its time. */
  #handleMeasured(from: number, count: number, large: ArrayBuffer | undefined, milliseconds: number): number {
    let next = from;
    let more = this.#turn.begin(milliseconds);
    while (more > 0) {
      const end = Math.min(next + more, count);
      next = this.#handleRows(next, end, large);
      more = next < end || end === count || this.#pressure.isPaused ? 0 : this.#turn.more(next - from);
    }
    this.#turn.end(next - from);
    return next;
  }

  /**
   * Handles rows until a pause is due, and returns the row to go on with. Errors that a message causes are not thrown.
   */
  #handleRows(from: number, count: number, large: ArrayBuffer | undefined): number {
    for (let row = from; row < count; row++) {
      this.#inbox.select(row, large);
      const { isReply } = this.#inbox;
      if (this.#settled && !isReply) return row;
      this.messages++;
      this.bodyBytes += this.#inbox.bodyLength;
      if (watchesMessages()) publishReceived(this.#id, this.#inbox);
      try {
        if (!isReply) this.#onCallOrSignal();
        else this.#onReply();
      } catch (error) {
        report('message', `a message from ${this.#inbox.sender ?? 'the peer'} could not be handled`, error, this.#id);
      } finally {
        this.#inbox.release();
      }
      // No further message is answered until the queued bytes have been written.
      if (this.#pressure.isPaused) return row + 1;
    }
    return count;
  }

  /** Handles a call or a signal. After the connection was closed, it could not be answered any more. */
  #onCallOrSignal(): void {
    if (this.#life.carriesMessages) this.onMessage(this.#inbox);
  }

  #onReply(): void {
    if (this.#pending.reply(this.#inbox)) this.#settled = true;
    else this.#onUnexpectedReply();
    if (this.onReply !== undefined && this.#life.carriesMessages) this.onReply(this.#inbox);
  }

  /** Late replies are common. A trace helps to find a lost or a forged reply. */
  #onUnexpectedReply(): void {
    this.unexpectedReplies++;
    if (trace.enabled) trace('#%d reply to no call: %d from %s', this.#id, this.#inbox.replySerial, this.#inbox.sender);
  }
}
