/** The monitored calls that may still be answered. Many never are, so there is a limit: the oldest are forgotten. */
import { MessageFlag, MessageType } from '../../connection/message.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import type { MonitoredMessage } from './monitored-message.js';

const CALLS_MAXIMUM = 16_384;
const BYTES_MAXIMUM = 32 * 1024 * 1024;

export class OpenCalls {
  /** By caller and serial, the oldest first. */
  readonly #calls = new Map<string, MonitoredMessage>();
  #bytes = 0;

  /** Whether the message is a reply to one of the calls. */
  isAnsweredBy({ destination, replySerial }: Inbox): boolean {
    return this.#calls.has(`${destination} ${replySerial}`);
  }

  /** Takes the call that a reply answers. */
  take({ destination, replySerial, isReply }: Inbox): MonitoredMessage | undefined {
    if (!isReply) return undefined;
    const key = `${destination} ${replySerial}`;
    const call = this.#calls.get(key);
    if (call !== undefined) this.#remove(key, call);
    return call;
  }

  add(message: MonitoredMessage): void {
    const { type, flags, sender, serial, bodyLength } = message;
    if (type !== MessageType.MethodCall || (flags & MessageFlag.NoReplyExpected) !== 0) return;
    this.#calls.set(`${sender} ${serial}`, message);
    this.#bytes += bodyLength;
    while (this.#calls.size > CALLS_MAXIMUM || this.#bytes > BYTES_MAXIMUM) {
      const [oldest] = this.#calls;
      if (oldest === undefined) return;
      this.#remove(...oldest);
    }
  }

  #remove(key: string, call: MonitoredMessage): void {
    this.#calls.delete(key);
    this.#bytes -= call.bodyLength;
  }
}
