/**
 * Calls that await their reply, by serial. A call settles exactly once: with its reply, by its deadline, by its
 * AbortSignal, or because the connection ends.
 */
import type { DecodeOptions } from '../codec/decoder.js';
import { ConnectionClosedError, type DBusError, errorFromReply, TimeoutError } from '../errors.js';
import type { Deadline, Deadlines } from './deadlines.js';
import { describeMessage, type MessageHead, MessageType } from './message.js';

/** What a caller may choose about waiting for a reply. */
export interface WaitOptions extends DecodeOptions {
  /** Milliseconds until the call rejects with a `TimeoutError`; `Infinity` for none. 25 000 if left out. */
  readonly timeout?: number | undefined;
  /** Aborting rejects the call with the signal's reason. The peer is not told: D-Bus has no way to. */
  readonly signal?: AbortSignal | undefined;
}

/** The values of a reply, and the signature that they carried: a peer may answer otherwise than it says it does. */
export interface Reply {
  readonly signature: string;
  readonly values: unknown[];
}

/** How a call ended: a reply, or why there is none. The error is made where the caller's stack is known. */
export type Outcome = Reply | { readonly error: () => unknown };

export const DEFAULT_TIMEOUT = 25_000;

const BUS = 'org.freedesktop.DBus';

/** What is looked at in a reply. */
interface ReceivedReply {
  readonly type: MessageType;
  readonly replySerial: number;
  readonly sender: string | undefined;
  readonly errorName: string | undefined;
  readonly signature: string;
  decode(options?: DecodeOptions): unknown[];
}

interface PendingCall {
  readonly head: MessageHead;
  readonly options: WaitOptions;
  readonly settle: (outcome: Outcome) => void;
  deadline: Deadline | undefined;
  unlisten: (() => void) | undefined;
}

export class PendingCalls {
  readonly #calls = new Map<number, PendingCall>();
  readonly #deadlines: Deadlines;

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Waits for the reply to the message with this serial. The promise never rejects. */
  wait(serial: number, head: MessageHead, options: WaitOptions): Promise<Outcome> {
    return new Promise((settle) => {
      const call: PendingCall = { head, options, settle, deadline: undefined, unlisten: undefined };
      this.#calls.set(serial, call);
      const timeout = options.timeout ?? DEFAULT_TIMEOUT;
      if (timeout !== Number.POSITIVE_INFINITY) {
        call.deadline = this.#deadlines.add(timeout, () => this.#timeOut(serial, timeout));
      }
      const { signal } = options;
      if (signal !== undefined) {
        const abort = () => this.#settle(serial, { error: () => signal.reason });
        signal.addEventListener('abort', abort, { once: true });
        call.unlisten = () => signal.removeEventListener('abort', abort);
      }
    });
  }

  /** Hands a METHOD_RETURN or ERROR to the call that it answers. Returns whether there was one. */
  reply(reply: ReceivedReply): boolean {
    const serial = reply.replySerial;
    const call = this.#calls.get(serial);
    if (call === undefined || !isFromCallee(reply.sender, call.head.destination)) return false;
    return this.#settle(serial, outcomeOf(reply, call));
  }

  /** The message could not be sent after all. Returns whether a call waits for its reply. */
  fail(serial: number, error: () => unknown): boolean {
    return this.#settle(serial, { error });
  }

  /** Rejects everything that waits. */
  close(cause: DBusError | undefined): void {
    for (const [serial, call] of [...this.#calls]) {
      const text = `the connection was closed while waiting for ${describeMessage(call.head)}`;
      this.#settle(serial, { error: () => new ConnectionClosedError(text, cause === undefined ? {} : { cause }) });
    }
  }

  #timeOut(serial: number, timeout: number): void {
    const call = this.#calls.get(serial);
    if (call === undefined) return;
    const text = `no reply within ${timeout} ms from ${describeMessage(call.head)}`;
    this.#settle(serial, { error: () => new TimeoutError(text) });
  }

  #settle(serial: number, outcome: Outcome): boolean {
    const call = this.#calls.get(serial);
    if (call === undefined) return false;
    this.#calls.delete(serial);
    call.deadline?.cancel();
    call.unlisten?.();
    call.settle(outcome);
    return true;
  }
}

/**
 * Whether a reply may answer this call. Who was asked by unique name must answer; the owner of a well-known name
 * answers by its unique name, which only the bus could relate; and the bus answers for peers that do not.
 */
function isFromCallee(sender: string | undefined, destination: string | undefined): boolean {
  if (sender === undefined || destination === undefined || sender === BUS) return true;
  if (destination === BUS) return false;
  return !destination.startsWith(':') || sender === destination;
}

function outcomeOf(reply: ReceivedReply, call: PendingCall): Outcome {
  try {
    const values = reply.decode(call.options);
    if (reply.type === MessageType.MethodReturn) return { signature: reply.signature, values };
    const name = reply.errorName ?? 'org.freedesktop.DBus.Error.Failed';
    return { error: () => errorFromReply(name, values, describeMessage(call.head)) };
  } catch (error) {
    return { error: () => error };
  }
}
