/**
 * The monitored calls that may still be answered. Many never are, so there is a limit: the oldest are forgotten. Calls that
 * expect no reply may get an error nevertheless, from the bus; they have a limit of their own.
 */
import { MessageFlag, MessageType } from '../../connection/message.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import type { MonitoredMessage } from './monitored-message.js';

export class OpenCalls {
  readonly #expecting = new CallTable(16_384, 32 * 1024 * 1024);
  readonly #silent = new CallTable(1024, 1024 * 1024);

  /** Whether the message is a reply to one of the calls. */
  isAnsweredBy({ destination, replySerial }: Inbox): boolean {
    const key = `${destination} ${replySerial}`;
    return this.#expecting.has(key) || this.#silent.has(key);
  }

  /** Takes the call that a reply answers. */
  take({ destination, replySerial, isReply }: Inbox): MonitoredMessage | undefined {
    if (!isReply) return undefined;
    const key = `${destination} ${replySerial}`;
    return this.#expecting.take(key) ?? this.#silent.take(key);
  }

  add(message: MonitoredMessage): void {
    const { type, flags, sender, serial } = message;
    if (type !== MessageType.MethodCall) return;
    const table = (flags & MessageFlag.NoReplyExpected) === 0 ? this.#expecting : this.#silent;
    table.add(`${sender} ${serial}`, message);
  }
}

/** Calls by caller and serial, the oldest first. */
class CallTable {
  readonly #calls = new Map<string, MonitoredMessage>();
  readonly #limit: number;
  readonly #bytesLimit: number;
  #bytes = 0;

  constructor(limit: number, bytesLimit: number) {
    this.#limit = limit;
    this.#bytesLimit = bytesLimit;
  }

  has(key: string): boolean {
    return this.#calls.has(key);
  }

  take(key: string): MonitoredMessage | undefined {
    const call = this.#calls.get(key);
    if (call === undefined) return undefined;
    this.#calls.delete(key);
    this.#bytes -= call.bodyLength;
    return call;
  }

  add(key: string, message: MonitoredMessage): void {
    this.take(key);
    this.#calls.set(key, message);
    this.#bytes += message.bodyLength;
    while (this.#calls.size > this.#limit || this.#bytes > this.#bytesLimit) {
      for (const oldest of this.#calls.keys()) {
        this.take(oldest);
        break;
      }
    }
  }
}
