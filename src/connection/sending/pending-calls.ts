/**
 * Calls that await their reply, by serial. A call settles exactly once: with its reply, at its deadline, by its
 * AbortSignal, or because the connection ends.
 */

import {
  ConnectionClosedError,
  closedError,
  type DBusError,
  errorFromReply,
  InvalidArgumentError,
  TimeoutError,
} from '../../base/errors.js';
import type { OptionTable } from '../../base/known-options.js';
import { checkBoolean, checkChoice, checkSignal, checkTimeout } from '../../base/parameters.js';
import type { DecodeOptions, Decoding } from '../../codec/decode-options.js';
import { DICTIONARIES, decodeTable, VARIANTS } from '../../codec/decoder.js';
import { Reader } from '../../codec/reader.js';
import { errorText } from '../../diagnostics/problems.js';
import { type CallCounts, type CallOutcome, publishCall, watchesCalls } from '../call-events.js';
import { describeMessage, type Message, type MessageHead, MessageType } from '../message.js';
import { unusableReply } from '../receiving/faults.js';
import type { IncomingMessage } from '../receiving/incoming-message.js';
import { onAbort } from './abort-reactions.js';
import { type Deadlines, Expiring } from './deadlines.js';
import { receivedError } from './received-error.js';
import { rejectable, rejection, rejectionWith } from './rejection.js';
import { SerialTable } from './serial-table.js';

/** Options for waiting for a reply. */
export interface WaitOptions extends DecodeOptions {
  /** Milliseconds until the call rejects with a `TimeoutError`; `Infinity` for none. 25 000 by default. */
  readonly timeout?: number | undefined;
  /** Aborting rejects the call with the signal's reason. The peer is not told: D-Bus has no way to cancel a call. */
  readonly signal?: AbortSignal | undefined;
}

/** Options for use within busbar as well. */
export interface InnerWaitOptions extends WaitOptions {
  /** Gets the name of an error reply, before any later message is handled. */
  readonly onError?: (name: string | undefined) => void;
  /**
   * Set for calls that maintain the connection: they are sent even if the program's own messages are refused as too
   * many.
   */
  readonly isUrgent?: boolean;
  /** A serial that was reserved for the call. */
  readonly serial?: number | undefined;
}

/** The peer that is called by a well-known name, as far as it is known. */
export interface Callee {
  /** Whether it may be the connection with this unique name. */
  mayBe(uniqueName: string): boolean;
  /** A call begins to wait for an answer of the callee. */
  beginCall(): void;
  /** A call of {@link beginCall} has settled. */
  endCall(): void;
}

/** The callees of calls by well-known names. */
export interface CalleesByName {
  /** The callee of calls to this destination, if its name is already followed. */
  find(destination: string | undefined): Callee | undefined;
  /** Whether `follow` has to precede a call to this destination, for which `find` returns nothing. */
  isToFollow(destination: string | undefined): destination is string;
  /** Begins to follow the owner of a name, which sends messages. */
  follow(name: string): Callee | undefined;
}

/** @throws {@link InvalidArgumentError}, or the reason of a signal that has already aborted */
export function checkWaitOptions(options: WaitOptions): void {
  checkWaitKinds(options);
  options.signal?.throwIfAborted();
}

/** The options of waiting and the checks of their values. */
export const waitTable: OptionTable<WaitOptions> = {
  ...decodeTable,
  timeout: checkTimeout,
  signal: checkSignal,
};

/** The checks of the table, written out because every call runs them. */
function checkWaitKinds({ timeout, signal, variants, typedArrays, dictionaries }: WaitOptions): void {
  checkTimeout(timeout);
  checkChoice(variants, VARIANTS, 'variants');
  checkBoolean(typedArrays, 'typedArrays');
  checkChoice(dictionaries, DICTIONARIES, 'dictionaries');
  checkSignal(signal);
}

/** The body of a reply. It is decoded by the code that needs its values. */
export interface ReplyBody {
  /** The signature of the values: a peer may answer with another one than it declared. */
  readonly signature: string;
  /** Whether the message brought descriptors. */
  readonly hasDescriptors: boolean;
  decode(options?: Decoding): unknown[];
  /**
   * A reader at the beginning of a copy of the body, which outlives the reply. It has no descriptors.
   *
   * @throws {@link DBusError} if the body is faulty
   */
  copy(): Reader;
  /** The message, for a caller that keeps it. */
  toKeep(): IncomingMessage;
}

/** Converts a reply into the result of its call. If it throws, the call rejects with that error. */
export type TakeReply<Result> = (reply: ReplyBody, options: DecodeOptions) => Result;

/** The result of a call that requests no reply. */
export const noReply: ReplyBody = {
  signature: '',
  hasDescriptors: false,
  decode: () => [],
  copy: () => new Reader(new ArrayBuffer(0)),
  toKeep: () => {
    throw new InvalidArgumentError('a call without a reply has no reply to keep');
  },
};

/** Returns the values, whatever they are. */
export const takeValues: TakeReply<unknown[]> = (reply, options) => reply.decode(options);

/** Returns the message as it was received. */
export const takeMessage: TakeReply<Message> = (reply) => reply.toKeep();

/** Milliseconds. */
export const DEFAULT_TIMEOUT = 25_000;

/**
 * The largest body of an error that is decoded immediately, so that a printed error shows its values. Programs mostly
 * need only the text of an error, so larger bodies are decoded when the program reads them.
 */
const SMALL_BODY = 4096;

const BUS = 'org.freedesktop.DBus';

/** The parts of a reply that are used here. */
interface ReceivedReply extends ReplyBody {
  readonly type: MessageType;
  readonly replySerial: number;
  readonly sender: string | undefined;
  readonly destination: string | undefined;
  /** Whether the message has no sender although there is a bus, which names the sender of every message. */
  readonly isFromNobody: boolean;
  readonly errorName: string | undefined;
  /** Why the body cannot be decoded, if so. */
  readonly fault: DBusError | undefined;
  /** In bytes. */
  readonly bodyLength: number;
  /** The argument at that index, which is a string according to the signature. */
  stringAt(index: number): string;
  /** The whole message, for code that keeps it. */
  makeMessage(): IncomingMessage;
  /** Closes the descriptors that decoding took ownership of. */
  discard(): void;
}

/** A call that waits, and its place in the list of its deadline. */
class PendingCall extends Expiring {
  readonly calls: PendingCalls;
  readonly serial: number;
  readonly head: MessageHead;
  readonly options: InnerWaitOptions;
  readonly take: TakeReply<unknown>;
  readonly callee: Callee | undefined;
  /** The user of the connection that made the call. The call ends with the user. */
  readonly user: object | undefined;
  readonly resolve: (result: unknown) => void;
  /** The connections that owned the called name while the call was waiting, and no longer do. */
  formerOwners: Set<string> | undefined = undefined;
  unlisten: (() => void) | undefined = undefined;
  /** Milliseconds. */
  timeout = DEFAULT_TIMEOUT;
  /** On the clock of `performance.now`; 0 if diagnostics had no subscriber when the call was made. */
  startedAt = 0;

  constructor(
    calls: PendingCalls,
    serial: number,
    head: MessageHead,
    options: InnerWaitOptions,
    take: TakeReply<unknown>,
    callee: Callee | undefined,
    user: object | undefined,
    resolve: (result: unknown) => void,
  ) {
    super();
    this.calls = calls;
    this.serial = serial;
    this.head = head;
    this.options = options;
    this.take = take;
    this.callee = callee;
    this.user = user;
    this.resolve = resolve;
  }

  expire(): void {
    const text = `no reply within ${this.timeout} ms from ${describeMessage(this.head)}`;
    this.calls.fail(this.serial, 'timeout', () => new TimeoutError(text));
  }
}

export class PendingCalls {
  /** The unique name that the bus assigned to this connection, once it has. */
  ownName: string | undefined = undefined;
  readonly #calls = new SerialTable<PendingCall>();
  readonly #deadlines: Deadlines;
  readonly #connection: number;
  readonly #hasBus: boolean;
  readonly #onChange: () => void;
  readonly #counts = { reply: 0, error: 0, unreadable: 0, timeout: 0, abort: 0, unsent: 0, closed: 0 };

  /**
   * @param connection the number of the connection in diagnostics
   * @param hasBus whether there is a bus, which names the sender and the destination in every message
   * @param onChange called when the first call begins to wait, and when no call waits any more
   */
  constructor(deadlines: Deadlines, connection: number, hasBus: boolean, onChange: () => void) {
    this.#hasBus = hasBus;
    this.#deadlines = deadlines;
    this.#connection = connection;
    this.#onChange = onChange;
  }

  /** The outcomes of the settled calls. */
  get counts(): CallCounts {
    return { ...this.#counts };
  }

  get size(): number {
    return this.#calls.size;
  }

  /**
   * Waits for the reply to the message with this serial.
   *
   * @param callee the peer that may answer, if the destination does not determine it; any peer if left out
   * @param user the user of the connection that makes the call; see {@link endCallsOf}
   */
  wait<Result>(
    serial: number,
    head: MessageHead,
    options: InnerWaitOptions,
    take: TakeReply<Result>,
    callee?: Callee,
    user?: object,
  ): Promise<Result> {
    // An options object may return other values on a second read, so the values that are used are checked again.
    const { timeout = DEFAULT_TIMEOUT, signal } = options;
    checkTimeout(timeout);
    if (signal !== undefined) checkSignal(signal);
    const promise = new Promise<unknown>(keepResolve);
    const call = new PendingCall(this, serial, head, options, take, callee, user, resolve);
    // Otherwise the variable would keep the promise and its result.
    resolve = forget;
    call.timeout = timeout;
    this.#calls.add(call);
    if (callee !== undefined) callee.beginCall();
    if (watchesCalls()) call.startedAt = performance.now();
    if (timeout !== Number.POSITIVE_INFINITY) this.#deadlines.add(timeout, call);
    if (signal !== undefined) {
      const abort = () => this.#end(serial, 'abort', () => rejectionWith(() => signal.reason));
      call.unlisten = onAbort(signal, abort);
    }
    if (this.#calls.size === 1) this.#onChange();
    return rejectable(promise) as Promise<Result>;
  }

  /** Counts a call that was refused before anything of it was sent. Returns a promise that rejects with the reason. */
  refuse(serial: number, head: MessageHead, { signal }: WaitOptions, reason: unknown): Promise<never> {
    const isClosed = reason instanceof ConnectionClosedError;
    const isAborted = signal instanceof AbortSignal && signal.aborted && signal.reason === reason;
    const isLate = reason instanceof TimeoutError;
    const outcome = isClosed ? 'closed' : isAborted ? 'abort' : isLate ? 'timeout' : 'unsent';
    this.#counts[outcome]++;
    const refused = outcome === 'unsent' ? reason : undefined;
    if (watchesCalls()) this.#publish({ serial, head, startedAt: performance.now() }, outcome, undefined, refused);
    return Promise.reject(reason);
  }

  /** Settles the call that a METHOD_RETURN or ERROR answers. Returns whether there is one. */
  reply(reply: ReceivedReply): boolean {
    const serial = reply.replySerial;
    const call = this.#calls.get(serial);
    if (call === undefined || reply.isFromNobody || !this.#isForUs(reply)) return false;
    if (!isFromCallee(reply.sender, call)) return false;
    let outcome: CallOutcome;
    let result: unknown;
    let failure: unknown;
    try {
      result = resultOf(reply, call);
      outcome = reply.type === MessageType.MethodReturn ? 'reply' : 'error';
    } catch (error) {
      reply.discard();
      failure = unusableReply(error, call.head);
      result = rejection(() => failure);
      outcome = 'unreadable';
    }
    if (outcome === 'reply') this.#counts.reply++;
    else this.#counts[outcome]++;
    // The call is settled first: a subscriber of the diagnostics may send, abort or close, which must not end the call
    // again.
    this.#settle(call, result);
    if (watchesCalls()) this.#publish(call, outcome, reply.errorName, failure);
    return true;
  }

  /**
   * Whether a reply is for this connection. A connection that eavesdrops receives replies to other connections, which
   * may have the serials of its own calls.
   */
  #isForUs({ destination }: ReceivedReply): boolean {
    if (!this.#hasBus) return true;
    return destination === undefined || this.ownName === undefined || destination === this.ownName;
  }

  /** Whether a call with this serial waits. */
  has(serial: number): boolean {
    return this.#calls.get(serial) !== undefined;
  }

  /**
   * Ends a call that will get no usable reply. The error is made when it is needed. Returns whether the call was
   * waiting.
   */
  fail(serial: number, outcome: CallOutcome, makeError: () => unknown): boolean {
    if (outcome !== 'unsent') return this.#end(serial, outcome, () => rejection(makeError));
    // The error arose while the call was being made, so its stack already has the line of the caller.
    return this.#end(serial, outcome, () => rejectionWith(makeError), makeError);
  }

  /** @param result makes the value that the promise of the call is resolved with, if the call still waits */
  #end(serial: number, outcome: CallOutcome, result: () => unknown, why?: () => unknown): boolean {
    const call = this.#calls.get(serial);
    if (call === undefined) return false;
    this.#counts[outcome]++;
    this.#settle(call, result());
    if (watchesCalls()) this.#publish(call, outcome, undefined, why?.());
    return true;
  }

  /**
   * Keeps the former owner of a name: calls that wait for this callee may have been delivered to it before it lost the
   * name.
   */
  keepFormerOwner(callee: Callee, owner: string): void {
    for (const call of this.#calls.entries()) {
      if (call.callee !== callee) continue;
      call.formerOwners ??= new Set();
      call.formerOwners.add(owner);
    }
  }

  /** Rejects the waiting calls of a user of the connection whose share was closed. */
  endCallsOf(user: object): void {
    for (const call of this.#calls.entries()) {
      if (call.user !== user) continue;
      const text = `the share of the connection was closed while waiting for ${describeMessage(call.head)}`;
      this.fail(call.serial, 'closed', () => closedError(text, undefined));
    }
  }

  /** Rejects all waiting calls. */
  close(cause: DBusError | undefined): void {
    for (const { serial, head } of this.#calls.entries()) {
      const text = `the connection was closed while waiting for ${describeMessage(head)}`;
      this.fail(serial, 'closed', () => closedError(text, cause));
    }
  }

  #publish(
    { serial, head, startedAt }: Pick<PendingCall, 'serial' | 'head' | 'startedAt'>,
    outcome: CallOutcome,
    errorName: string | undefined,
    failure: unknown,
  ): void {
    const { destination, path, interface: interfaceName, member } = head;
    const milliseconds = startedAt === 0 ? undefined : performance.now() - startedAt;
    const call = { connection: this.#connection, serial, destination, path, interface: interfaceName, member };
    const reason = failure === undefined ? undefined : errorText(failure);
    publishCall({ ...call, outcome, errorName, reason, milliseconds });
  }

  #settle(call: PendingCall, result: unknown): void {
    this.#calls.remove(call);
    this.#deadlines.remove(call);
    if (call.callee !== undefined) call.callee.endCall();
    call.unlisten?.();
    call.resolve(result);
    if (this.#calls.size === 0) this.#onChange();
  }
}

/**
 * The function that resolves the last promise. One variable serves all promises; an executor for each would be a
 * closure for each call.
 */
let resolve: (result: unknown) => void = forget;
function forget(): void {}
function keepResolve(resolveIt: (result: unknown) => void): void {
  resolve = resolveIt;
}

/**
 * Whether a reply may answer this call. A peer that was called by its unique name must have sent it; a peer that was
 * called by a well-known name answers with its unique name; and the bus answers for peers that do not.
 */
function isFromCallee(
  sender: string | undefined,
  { head: { destination }, callee, formerOwners }: PendingCall,
): boolean {
  if (sender === undefined || sender === BUS || sender === destination) return true;
  if (callee !== undefined) return callee.mayBe(sender) || formerOwners?.has(sender) === true;
  return destination !== undefined && destination !== BUS && !destination.startsWith(':');
}

/**
 * The value that a reply resolves its call with.
 *
 * @throws the error that the call rejects with, if the body of the reply is invalid or `take` does not accept it
 */
function resultOf(reply: ReceivedReply, call: PendingCall): unknown {
  const { fault } = reply;
  if (fault !== undefined) throw fault;
  if (reply.type === MessageType.MethodReturn) return call.take(reply, call.options);
  call.options.onError?.(reply.errorName);
  const message = reply.makeMessage().keep();
  const text = reply.signature.startsWith('s') ? reply.stringAt(0) : '';
  const body = reply.bodyLength > SMALL_BODY ? message.bodyLater(call.options) : reply.decode(call.options);
  // No program looks for descriptors in an error to close them.
  reply.discard();
  return rejection(() => receivedError(errorFromReply(message, text, body, describeMessage(call.head))));
}
