/**
 * Calls that are made while a bus that reconnects has no connection. They are marshalled at once, so that a wrong value
 * is refused at once and later changes of a value have no effect. They are sent in their order when there is a
 * connection again, each within its own time limit. None of them was sent before, so none is sent twice.
 *
 * Descriptors of a waiting call are duplicated. So the program may close its own, and they stay its own if the call is
 * never sent.
 */
import { BackpressureError, closedError, type DBusError, NotSupportedError, TimeoutError } from '../../base/errors.js';
import { closeMadeByGetters } from '../../codec/close-descriptors.js';
import type { OutgoingFd } from '../../codec/writer.js';
import { duplicateFd } from '../../native/descriptors.js';
import { makeOwnedDescriptor } from '../../values/file-descriptor.js';
import { HeldFd } from '../../values/held-fd.js';
import { describeMessage, type MessageHead } from '../message.js';
import { startTimer } from '../time-limit.js';
import { onAbort } from './abort-reactions.js';
import { type MarshalledMessage, Urgency } from './outbox.js';
import type { OutgoingCalls } from './outgoing-calls.js';
import { checkWaitOptions, DEFAULT_TIMEOUT, type InnerWaitOptions, type TakeReply } from './pending-calls.js';
import type { Sender } from './sender.js';

/** The connection that was lost. It marshals the calls and counts those that are never sent. */
interface LostConnection {
  readonly isPeer: boolean;
  refusal(what: string): DBusError;
  readonly sender: Pick<Sender, 'marshal'>;
  readonly calls: Pick<OutgoingCalls, 'refuse'>;
}

class WaitingCall {
  readonly message: MarshalledMessage;
  readonly body: readonly unknown[];
  readonly options: InnerWaitOptions;
  readonly take: TakeReply<unknown>;
  readonly user: object | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly endsAt: number;
  /** The descriptors as the connection gets them. */
  readonly fds: readonly OutgoingFd[];
  stop: () => void = () => {};

  constructor(
    message: MarshalledMessage,
    body: readonly unknown[],
    options: InnerWaitOptions,
    take: TakeReply<unknown>,
    user: object | undefined,
    settle: Pick<WaitingCall, 'resolve' | 'reject'>,
  ) {
    this.fds = duplicates(message.fds);
    this.message = message;
    this.body = body;
    this.options = options;
    this.take = take;
    this.user = user;
    this.resolve = settle.resolve;
    this.reject = settle.reject;
    this.endsAt = performance.now() + (options.timeout ?? DEFAULT_TIMEOUT);
  }
}

export class WaitingCalls {
  readonly #lost: LostConnection;
  readonly #limit: number;
  readonly #onChange: () => void;
  readonly #calls = new Set<WaitingCall>();
  #bytes = 0;

  /**
   * @param limit bytes of calls that may wait, before further ones are refused
   * @param onChange called when the first call begins to wait, and when no call waits any more
   */
  constructor(lost: LostConnection, limit: number, onChange: () => void) {
    this.#lost = lost;
    this.#limit = limit;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Makes a call wait for the next connection. It settles as a call of a connection does. */
  wait<Result>(
    head: MessageHead,
    body: readonly unknown[],
    options: InnerWaitOptions,
    take: TakeReply<Result>,
    user: object | undefined,
  ): Promise<Result> {
    try {
      checkWaitOptions(options);
      if (options.serial !== undefined) {
        throw new NotSupportedError(
          'serial: a call with a reserved serial cannot wait for a connection: make it while the bus is open',
        );
      }
      if (!this.#lost.isPeer && head.destination?.startsWith(':') === true) {
        // The next bus may give the name to another connection.
        throw this.#lost.refusal(`the connection was lost, and with it the unique name ${head.destination}`);
      }
      if (this.#bytes > this.#limit) {
        throw new BackpressureError(
          `${this.#bytes} bytes of calls already wait for a connection: make fewer, or raise limits.queuedBytes`,
        );
      }
      const message = this.#lost.sender.marshal(head, body, options.isUrgent === true ? Urgency.Answer : Urgency.Own);
      return new Promise<Result>((resolve, reject) => {
        const settle = { resolve: resolve as (result: unknown) => void, reject };
        this.#add(new WaitingCall(message, body, options, take, user, settle));
      });
    } catch (error) {
      return this.#lost.calls.refuse(head, options, error);
    }
  }

  /** Sends all calls over a new connection. */
  sendTo(calls: OutgoingCalls): void {
    for (const call of [...this.#calls]) {
      this.#remove(call);
      const { message, fds, endsAt, options, take, user } = call;
      const timeout = Math.max(0, endsAt - performance.now());
      const sent = calls.callMarshalled({ ...message, fds }, { ...options, timeout }, take, user);
      sent.then(call.resolve, call.reject);
      // A message that was sent has closed what it owns. One that was refused leaves the program its descriptors.
      const isSent = fds.every(({ owned }) => owned?.closed === true);
      for (const { owned } of isSent ? message.fds : fds) owned?.close();
    }
  }

  /** Rejects the calls of a user of the connection whose share was closed. */
  endCallsOf(user: object): void {
    const text = 'the share of the connection was closed before there was a connection for';
    for (const call of [...this.#calls]) {
      if (call.user === user) this.#fail(call, closedError(`${text} ${describeMessage(call.message.head)}`, undefined));
    }
  }

  /** Rejects all calls: there will be no connection. */
  close(cause: DBusError | undefined): void {
    for (const call of [...this.#calls]) {
      const text = `the connection was closed before there was one for ${describeMessage(call.message.head)}`;
      this.#fail(call, closedError(text, cause));
    }
  }

  #add(call: WaitingCall): void {
    const { timeout = DEFAULT_TIMEOUT, signal } = call.options;
    const late = () => {
      const text = `no connection within ${timeout} ms for ${describeMessage(call.message.head)}`;
      this.#fail(call, new TimeoutError(text));
    };
    const stopTimer = startTimer(late, timeout, false);
    const stopListening = signal && onAbort(signal, () => this.#fail(call, signal.reason));
    call.stop = () => {
      stopTimer();
      stopListening?.();
    };
    this.#calls.add(call);
    this.#bytes += call.message.bytes.length;
    if (this.#calls.size === 1) this.#onChange();
  }

  #remove(call: WaitingCall): void {
    call.stop();
    this.#calls.delete(call);
    this.#bytes -= call.message.bytes.length;
    if (this.#calls.size === 0) this.#onChange();
  }

  #fail(call: WaitingCall, reason: unknown): void {
    this.#remove(call);
    for (const { owned } of call.fds) owned?.close();
    closeMadeByGetters(call.message.fds, call.body);
    this.#lost.calls.refuse(call.message.head, call.options, reason).catch(call.reject);
  }
}

function duplicates(fds: readonly OutgoingFd[]): OutgoingFd[] {
  const made: OutgoingFd[] = [];
  try {
    for (const outgoing of fds) {
      const owned = makeOwnedDescriptor(new HeldFd(duplicateFd(outgoing.fd)));
      made.push({ ...outgoing, fd: owned.fd, value: owned, owned });
    }
    return made;
  } catch (error) {
    for (const { owned } of made) owned?.close();
    throw error;
  }
}
