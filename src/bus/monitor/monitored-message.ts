/** A message as a monitor has received it. */
import type { DBusError } from '../../base/errors.js';
import type { DecodeOptions } from '../../codec/decode-options.js';
import type { Message, MessageType } from '../../connection/message.js';
import type { IncomingMessage } from '../../connection/receiving/incoming-message.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';
import type { MonitoredPeer } from './monitored-peers.js';

/** When a message arrived. */
export interface Arrival {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Milliseconds of a clock that is never set. */
  readonly instant: number;
}

/** What a monitor knows of a message besides itself. */
interface Circumstances extends Arrival {
  readonly from: MonitoredPeer | undefined;
  readonly to: MonitoredPeer | undefined;
  readonly call: MonitoredMessage | undefined;
}

/** A message that a {@link Monitor} has received. It can be read at any time; only its descriptors are on loan. */
export class MonitoredMessage implements Message {
  /** The type of the message. */
  readonly type: MessageType;
  /** A union of the bits of {@link MessageFlag}. */
  readonly flags: number;
  /** The serial that the sender assigned. All messages of the bus itself may have the same one. */
  readonly serial: number;
  /** The serial of the call that a reply answers; other messages have none. */
  readonly replySerial: number | undefined;
  /** PATH */
  readonly path: string | undefined;
  /** INTERFACE */
  readonly interface: string | undefined;
  /** MEMBER */
  readonly member: string | undefined;
  /** ERROR_NAME */
  readonly errorName: string | undefined;
  /** DESTINATION, as the sender wrote it: a unique or a well-known name; broadcast signals have none. */
  readonly destination: string | undefined;
  /** The unique name of the sender; the bus sends under its own name. */
  readonly sender: string | undefined;
  /** SIGNATURE; empty if there is no body. */
  readonly signature: string;
  /** When the message arrived here: milliseconds since 1970, with fractions. */
  readonly time: number;
  /** The sender, with its well-known names. */
  readonly from: MonitoredPeer | undefined;
  /** The receiver, with its well-known names; `undefined` for broadcast signals. */
  readonly to: MonitoredPeer | undefined;
  /** For a reply or an error: the call that it answers, if the monitor has received that. */
  readonly call: MonitoredMessage | undefined;
  /** For a reply or an error: the milliseconds between the arrival of the call and its own. */
  readonly elapsed: number | undefined;
  readonly #message: IncomingMessage;
  readonly #instant: number;
  readonly #descriptors: number;
  #body: readonly unknown[] | undefined;

  /** @internal */
  constructor(message: IncomingMessage, { time, instant, from, to, call }: Circumstances, descriptors: number) {
    this.type = message.type;
    this.flags = message.flags;
    this.serial = message.serial;
    this.replySerial = message.replySerial;
    this.path = message.path;
    this.interface = message.interface;
    this.member = message.member;
    this.errorName = message.errorName;
    this.destination = message.destination;
    this.sender = message.sender;
    this.signature = message.signature;
    this.time = time;
    this.from = from;
    this.to = to;
    this.call = call;
    this.elapsed = call && instant - call.#instant;
    this.#message = message;
    this.#instant = instant;
    this.#descriptors = descriptors;
  }

  /**
   * The values with their types: each variant is a {@link Variant}. {@link decode} reads them in other forms.
   *
   * @throws {@link DBusError} if the message is invalid: see {@link fault}
   */
  get body(): readonly unknown[] {
    this.#body ??= this.decode({ variants: 'wrap' });
    return this.#body;
  }

  /** The length of the body in bytes; 0 if the message is invalid. */
  get bodyLength(): number {
    return this.#message.bodyLength;
  }

  /**
   * The whole message as bytes: header and body, without descriptors. The body has the bytes that were received, in
   * little-endian order; the header is written from its fields.
   *
   * @see D-Bus specification, section "Message Format"
   */
  get bytes(): Uint8Array {
    return this.#message.toBytes(this.#descriptors);
  }

  /** Why the message is invalid, if it is. Buses forward some invalid messages; the receiver drops them. */
  get fault(): DBusError | undefined {
    return this.#message.fault;
  }

  /**
   * The file descriptors of the message. They are closed when the loop asks for the next message, unless it has taken
   * them.
   */
  get fileDescriptors(): readonly FileDescriptor[] {
    return this.#message.fileDescriptors;
  }

  /**
   * Decodes the values, at any time and as often as wanted.
   *
   * @throws {@link DBusError} if the message is invalid
   */
  decode(options?: DecodeOptions): unknown[] {
    return this.#message.decode(options);
  }

  /** @internal closes the descriptors that were not taken */
  endLoan(): void {
    if (this.#descriptors > 0) this.#message.endLoan();
  }

  /** @internal whether the message brought descriptors */
  get hasDescriptors(): boolean {
    return this.#descriptors > 0;
  }
}
