/**
 * One end of a connection, which sends: calls, signals, and messages of any type. Nothing is sent before the fields of a
 * message are checked. `NamedEndpoint` and `Bus` extend it with names and with what is received.
 */

import { ConnectionClosedError, InvalidArgumentError } from '../base/errors.js';
import { checkChoice, checkObject } from '../base/parameters.js';
import { withStackAbove } from '../base/stack.js';
import { closeHandedOver } from '../codec/close-descriptors.js';
import { type Message, type MessageHead, MessageType, type OutgoingMessage } from '../connection/message.js';
import { type TakeReply, takeMessage, takeValues, type WaitOptions } from '../connection/sending/pending-calls.js';
import { report } from '../diagnostics/problems.js';
import { ConnectionUser } from './connection-user.js';
import type { Link } from './link/link.js';
import {
  type CallOptions,
  callFields,
  callFlags,
  checkBody,
  checkFlagOptions,
  type MessageReply,
  type MethodCall,
  messageFields,
  type SignalEmission,
  signalFields,
} from './names/requests.js';
import type { OnShareClosed } from './share.js';

/** A call that resolves with either form of its reply. */
type AnyCall = Omit<MethodCall, 'reply'> & { readonly reply?: 'values' | 'message' | undefined };

const REPLY_FORMS = ['values', 'message'];

/** One end of a connection, which can send. {@link MessageBus} extends it. */
export class Endpoint extends ConnectionUser {
  /**
   * @internal
   * @param source a link, or an endpoint that this becomes a share of
   * @param onClosed for a share, called when it is closed
   */
  constructor(source: Link | Endpoint, onClosed?: OnShareClosed) {
    super(source, onClosed);
    this.share?.whenClosed(() => this.link.endCallsOf(this));
  }

  /**
   * Calls a method and resolves with the values of its reply, or with the reply as a message.
   *
   * @example
   * ```ts
   * const object = { destination: 'org.example.dbustest', path: '/org/example/dbustest' };
   * const call = { ...object, interface: 'org.freedesktop.DBus.Peer', member: 'GetMachineId' };
   * const [id] = await bus.call(call);
   * const { sender, serial, body } = await bus.call({ ...call, reply: 'message' });
   * ```
   * On a message bus a destination is required. By the specification, a bus handles a call without a destination
   * itself. dbus-daemon and dbus-broker then answer little more than `org.freedesktop.DBus.Peer`, and nothing that they
   * do not answer at the name `org.freedesktop.DBus` as well. So a missing destination is treated as a mistake.
   * {@link send} can send such a call.
   *
   * While a bus that reconnects is `away`, a call waits for the next connection, within its time limit. A call to a unique
   * name rejects then.
   *
   * @param options override those of `call`
   * @throws (rejects) {@link InvalidArgumentError} if a name or a value is not valid, or the destination is missing on
   * a bus; nothing is sent then
   * @throws (rejects) {@link DBusError}, or the subclass for the error's name, if the peer or the bus answers with an
   * error
   * @throws (rejects) {@link TimeoutError}, the reason of `signal`, or {@link ConnectionClosedError}
   * @see D-Bus specification, section "Method Calls"
   */
  call(call: Omit<MethodCall, 'reply'> & MessageReply, options?: CallOptions): Promise<Message>;
  call(call: MethodCall, options: CallOptions & MessageReply): Promise<Message>;
  call(call: MethodCall, options?: CallOptions): Promise<unknown[]>;
  call(call: AnyCall, options?: Partial<AnyCall>): Promise<unknown> {
    try {
      this.requireShare('nothing can be called');
      checkObject(call, 'call');
      if (options !== undefined) {
        checkObject(options, 'options');
        callFields.checkKeys(options);
        return this.call({ ...call, ...options } as MethodCall);
      }
      callFields.checkKeys(call);
      // Copied, because each field is read more than once: the checked value must be the value that is used.
      const { destination, path, interface: interfaceName, member, signature, body = [], reply } = call;
      const { noReply, autoStart, interactive, fileDescriptors } = call;
      this.checkDestination(destination);
      checkFlagOptions({ noReply, autoStart, interactive });
      checkBody(body, signature);
      checkChoice(reply, REPLY_FORMS, 'reply');
      if (reply === 'message' && noReply === true) {
        throw new InvalidArgumentError(
          "reply: 'message' cannot be combined with `noReply`, because the call gets no reply",
        );
      }
      const flags = callFlags({ noReply, autoStart, interactive });
      const head = { type: MessageType.MethodCall, flags, destination, path, member, signature, fileDescriptors };
      const take: TakeReply<unknown> = reply === 'message' ? takeMessage : takeValues;
      return this.connection.calls.call({ ...head, interface: interfaceName }, body, call, take, this);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** @internal as `call`, with a head that may be prepared; resolves with the result of `take` */
  request<Result>(
    head: MessageHead,
    body: readonly unknown[],
    options: WaitOptions,
    take: TakeReply<Result>,
  ): Promise<Result> {
    if (this.share?.isOver === true)
      return Promise.reject(this.connection.refusal('the share of the connection is closed'));
    return this.connection.calls.call(head, body, options, take, this);
  }

  /**
   * Sends a signal. It is written even if the process ends right after, unless the other side does not read for a
   * second. An exported object emits its signals itself; this method is for signals without an exported object. While a
   * bus that reconnects is `away`, the signal is dropped, and reported on the channel `busbar:problem`.
   *
   * @throws {@link InvalidArgumentError} if a name or a value is not valid; nothing is sent then
   * @throws {@link ConnectionClosedError} if the connection is closed
   * @throws {@link BackpressureError} if more than `limits.queuedBytes` bytes are queued
   * @see D-Bus specification, section "Signal Emission"
   */
  emit(signal: SignalEmission): void {
    this.requireShare('nothing can be emitted');
    checkObject(signal, 'signal');
    signalFields.checkKeys(signal);
    const { path, interface: interfaceName, member, signature, body = [], destination, fileDescriptors } = signal;
    checkBody(body, signature);
    const head = { type: MessageType.Signal, path, interface: interfaceName, member, signature, destination };
    try {
      this.connection.sender.send({ ...head, fileDescriptors }, body, 0);
    } catch (error) {
      if (this.link.state !== 'away' || !(error instanceof ConnectionClosedError)) {
        throw withStackAbove(error, this.emit);
      }
      closeHandedOver(signature ?? '', body);
      report('send', `${interfaceName}.${member} was not sent: there is no connection`, undefined, this.connectionId);
    }
  }

  /**
   * Sends a message of any type without waiting for a reply: a signal, or an answer to a call that a message handler
   * took. If it sends a call, only a message handler with `replies: true` gets the reply.
   *
   * @returns the serial of the message
   * @throws as {@link emit} does; for a reply (with a `replySerial`) only if four times as many bytes are queued
   * @throws {@link ConnectionClosedError} while a bus that reconnects is `away`, and for an answer to a call that came
   * over a connection that was lost
   * @see D-Bus specification, section "Message Format"
   */
  send(message: OutgoingMessage): number {
    this.requireShare('nothing can be sent');
    checkObject(message, 'message');
    messageFields.checkKeys(message);
    // Copied, because each field is read more than once: the checked value must be the value that is written.
    const { type, flags, path, interface: interfaceName, member, errorName, destination, signature } = message;
    const { body = [], replySerial, serial, fileDescriptors } = message;
    checkBody(body, signature);
    if (replySerial !== undefined) this.checkAnswer(replySerial, destination);
    const head = { type, flags, path, interface: interfaceName, member, errorName, destination, signature };
    let sent: number;
    try {
      sent = this.connection.sender.send({ ...head, fileDescriptors }, body, replySerial ?? 0, serial);
    } catch (error) {
      throw withStackAbove(error, this.send);
    }
    if (replySerial !== undefined) this.noteAnswer(replySerial, destination);
    return sent;
  }

  /** @internal checks the destination of a call. Overridden by the layer that knows whether there is a bus. */
  checkDestination(_destination: string | undefined): void {}

  /** @internal checks that {@link send} may send an answer. Overridden by the layer that dispatches calls. */
  protected checkAnswer(_replySerial: number, _destination: string | undefined): void {}

  /** @internal called when {@link send} sent an answer. Overridden by the layer that dispatches calls. */
  protected noteAnswer(_replySerial: number, _destination: string | undefined): void {}

  /**
   * Reserves the next serial for a message that is sent later, as the `serial` of {@link call} or {@link send}. The
   * serial is then known before the message is sent. A serial can be used once.
   */
  reserveSerial(): number {
    return this.connection.sender.reserveSerial();
  }

  /** @internal sends a signal of an exported object; see {@link Sender.tell} */
  tell(head: MessageHead, body: readonly unknown[], isAnnouncement: boolean): boolean {
    return this.connection.sender.tell(head, body, isAnnouncement);
  }

  /** @internal sends what must precede the next message now; see {@link Connection.sendFirst} */
  letOutFirst(): void {
    this.connection.letOutFirst();
  }

  /** @internal sends before the next message; see {@link Connection.sendFirst} */
  sendFirst(send: (() => void) | undefined): void {
    this.connection.sendFirst(send);
  }

  /** @internal whether a message is being encoded, during which nothing can be sent */
  get isMarshalling(): boolean {
    return this.connection.isMarshalling;
  }
}
