/**
 * Calls that await their reply, by serial. A call settles exactly once: with its reply, by its deadline, by its
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
import { errorText } from '../../diagnostics/problems.js';
import { type CallCounts, type CallOutcome, publishCall, watchesCalls } from '../call-events.js';
import { describeMessage, type Message, type MessageHead, MessageType } from '../message.js';
import { unusableReply } from '../receiving/faults.js';
import type { IncomingMessage } from '../receiving/incoming-message.js';
import { onAbort } from './abort-reactions.js';
import { type Deadlines, Expiring } from './deadlines.js';
import { rejectable, rejection, rejectionWith } from './rejection.js';
import { SerialTable } from './serial-table.js';

/** What a caller may choose about waiting for a reply. */
export interface WaitOptions extends DecodeOptions {
  /** Milliseconds until the call rejects with a `TimeoutError`; `Infinity` for none. 25 000 if left out. */
  readonly timeout?: number | undefined;
  /** Aborting rejects the call with the signal's reason. The peer is not told: D-Bus has no way to. */
  readonly signal?: AbortSignal | undefined;
}

/** What may be chosen within busbar as well. */
export interface InnerWaitOptions extends WaitOptions {
  /** Gets the name of an error that is the reply, before anything that came behind it is looked at. */
  readonly onError?: (name: string | undefined) => void;
  /** For what keeps the connection in order: it goes out even where the program's own messages are refused as too much. */
  readonly isUrgent?: boolean;
  /** A serial that was reserved for the call. */
  readonly serial?: number | undefined;
}

/** Who is called by a well-known name, as far as it is known. */
export interface Callee {
  /** Whether it may be the one that this unique name is of. */
  mayBe(uniqueName: string): boolean;
}

/** Those who are called by well-known names. */
export interface CalleesByName {
  /** The one that calls to this destination go to, where it is followed already. */
  find(destination: string | undefined): Callee | undefined;
  /** Whether a call to this destination, for which `find` finds nothing, is to be preceded by `follow`. */
  isToFollow(destination: string | undefined): destination is string;
  /** Begins to follow the owner of a name, which sends messages. */
  follow(name: string): Callee | undefined;
}

/** @throws {@link InvalidArgumentError}, or the reason of a signal that has aborted already */
export function checkWaitOptions(options: WaitOptions): void {
  checkWaitKinds(options);
  options.signal?.throwIfAborted();
}

/** The options of waiting, with the checks of their values. */
export const waitTable: OptionTable<WaitOptions> = {
  ...decodeTable,
  timeout: checkTimeout,
  signal: checkSignal,
};

/** As the table says, written out because every call does it. */
function checkWaitKinds({ timeout, signal, variants, typedArrays, dictionaries }: WaitOptions): void {
  checkTimeout(timeout);
  checkChoice(variants, VARIANTS, 'variants');
  checkBoolean(typedArrays, 'typedArrays');
  checkChoice(dictionaries, DICTIONARIES, 'dictionaries');
  checkSignal(signal);
}

/** The body of a reply: it is decoded by whoever wants its values. */
export interface ReplyBody {
  /** That of the values: a peer may answer otherwise than it says it does. */
  readonly signature: string;
  decode(options?: Decoding): unknown[];
  /** The message, for a caller that keeps it. */
  toKeep(): IncomingMessage;
}

/** Makes what a call resolves with from its reply. What it throws is what the call rejects with. */
export type TakeReply<Result> = (reply: ReplyBody, options: DecodeOptions) => Result;

/** What a call that wants no reply is answered with, here. */
export const noReply: ReplyBody = {
  signature: '',
  decode: () => [],
  toKeep: () => {
    throw new InvalidArgumentError('a call that wants no reply has none to keep');
  },
};

/** Takes the values, whatever they are. */
export const takeValues: TakeReply<unknown[]> = (reply, options) => reply.decode(options);

/** Takes the message as it came. */
export const takeMessage: TakeReply<Message> = (reply) => reply.toKeep();

const DEFAULT_TIMEOUT = 25_000;

/**
 * Bytes of an error's body that are decoded at once, so that an error that is printed shows its values. Of most errors
 * only the text is wanted, so larger bodies are decoded when somebody looks.
 */
const SMALL_BODY = 4096;

const BUS = 'org.freedesktop.DBus';

/** What is looked at in a reply. */
interface ReceivedReply extends ReplyBody {
  readonly type: MessageType;
  readonly replySerial: number;
  readonly sender: string | undefined;
  readonly destination: string | undefined;
  /** Whether there is a bus, which names every sender, and it names none. */
  readonly isFromNobody: boolean;
  readonly errorName: string | undefined;
  /** Why the body cannot be decoded, if it cannot. */
  readonly fault: DBusError | undefined;
  /** In bytes. */
  readonly bodyLength: number;
  /** The argument at that index, which the signature says is a string. */
  stringAt(index: number): string;
  /** All of it, for who keeps it. */
  makeMessage(): IncomingMessage;
  /** Closes the descriptors that came to be owned by decoding. */
  discard(): void;
}

/** A call that waits: what settles it, and its place in the list of its deadline. */
class PendingCall extends Expiring {
  readonly calls: PendingCalls;
  readonly serial: number;
  readonly head: MessageHead;
  readonly options: InnerWaitOptions;
  readonly take: TakeReply<unknown>;
  readonly callee: Callee | undefined;
  /** The user of the connection that made it, with whom it ends. */
  readonly user: object | undefined;
  readonly resolve: (result: unknown) => void;
  /** Who owned the name that was called while the call was waiting, and does not any more. */
  formerOwners: Set<string> | undefined = undefined;
  unlisten: (() => void) | undefined = undefined;
  /** Milliseconds. */
  timeout = DEFAULT_TIMEOUT;
  /** On the clock of `performance.now`; 0 where nobody watched when the call was made. */
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
  /** The name that the bus gave this connection, once it has. */
  ownName: string | undefined = undefined;
  readonly #calls = new SerialTable<PendingCall>();
  readonly #deadlines: Deadlines;
  readonly #connection: number;
  readonly #hasBus: boolean;
  readonly #onChange: () => void;
  readonly #counts = { reply: 0, error: 0, unreadable: 0, timeout: 0, abort: 0, unsent: 0, closed: 0 };

  /**
   * @param connection the number by which diagnostics call the connection
   * @param hasBus whether there is a bus, which says in every message from whom and for whom it is
   * @param onChange called when a call waits for the first time, and when none does any more
   */
  constructor(deadlines: Deadlines, connection: number, hasBus: boolean, onChange: () => void) {
    this.#hasBus = hasBus;
    this.#deadlines = deadlines;
    this.#connection = connection;
    this.#onChange = onChange;
  }

  /** How the calls that are settled ended. */
  get counts(): CallCounts {
    return { ...this.#counts };
  }

  get size(): number {
    return this.#calls.size;
  }

  /**
   * Waits for the reply to the message with this serial.
   *
   * @param callee who may answer, where the destination does not tell; anybody if left out
   * @param user of the connection, who makes it; see {@link endCallsOf}
   */
  wait<Result>(
    serial: number,
    head: MessageHead,
    options: InnerWaitOptions,
    take: TakeReply<Result>,
    callee?: Callee,
    user?: object,
  ): Promise<Result> {
    // Options are anybody's objects, which may answer otherwise the second time: what is used is checked once more.
    const { timeout = DEFAULT_TIMEOUT, signal } = options;
    checkTimeout(timeout);
    if (signal !== undefined) checkSignal(signal);
    const promise = new Promise<unknown>(keepResolve);
    const call = new PendingCall(this, serial, head, options, take, callee, user, resolve);
    // It would keep the promise, and what that is resolved with.
    resolve = forget;
    call.timeout = timeout;
    this.#calls.add(call);
    if (watchesCalls()) call.startedAt = performance.now();
    if (timeout !== Number.POSITIVE_INFINITY) this.#deadlines.add(timeout, call);
    if (signal !== undefined) {
      const abort = () => this.#end(serial, 'abort', () => rejectionWith(() => signal.reason));
      call.unlisten = onAbort(signal, abort);
    }
    if (this.#calls.size === 1) this.#onChange();
    return rejectable(promise) as Promise<Result>;
  }

  /** A call is refused before anything of it was sent. Returns a promise that rejects with the reason. */
  refuse(serial: number, head: MessageHead, { signal }: WaitOptions, reason: unknown): Promise<never> {
    const isClosed = reason instanceof ConnectionClosedError;
    const isAborted = signal instanceof AbortSignal && signal.aborted && signal.reason === reason;
    const outcome = isClosed ? 'closed' : isAborted ? 'abort' : 'unsent';
    this.#counts[outcome]++;
    const refused = outcome === 'unsent' ? reason : undefined;
    if (watchesCalls()) this.#publish({ serial, head, startedAt: performance.now() }, outcome, undefined, refused);
    return Promise.reject(reason);
  }

  /** Hands a METHOD_RETURN or ERROR to the call that it answers. Returns whether there was one. */
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
    // Settled first: who hears of it may send, abort or close, and the call must not end twice by that.
    this.#settle(call, result);
    if (watchesCalls()) this.#publish(call, outcome, reply.errorName, failure);
    return true;
  }

  /** Whoever eavesdrops gets the replies to others, which may have the serials of calls of its own. */
  #isForUs({ destination }: ReceivedReply): boolean {
    if (!this.#hasBus) return true;
    return destination === undefined || this.ownName === undefined || destination === this.ownName;
  }

  /** Whether a call with this serial waits. */
  has(serial: number): boolean {
    return this.#calls.get(serial) !== undefined;
  }

  /**
   * The call will get no usable reply, for a reason that is made when it is needed. Returns whether it waits for one.
   */
  fail(serial: number, outcome: CallOutcome, makeError: () => unknown): boolean {
    if (outcome !== 'unsent') return this.#end(serial, outcome, () => rejection(makeError));
    // Found while the call was being made: its stack has the caller's line already.
    return this.#end(serial, outcome, () => rejectionWith(makeError), makeError);
  }

  /** @param result makes what the call's promise is resolved with, if it still waits */
  #end(serial: number, outcome: CallOutcome, result: () => unknown, why?: () => unknown): boolean {
    const call = this.#calls.get(serial);
    if (call === undefined) return false;
    this.#counts[outcome]++;
    this.#settle(call, result());
    if (watchesCalls()) this.#publish(call, outcome, undefined, why?.());
    return true;
  }

  /** Whether a call waits that this one is to answer. */
  isCalled(callee: Callee): boolean {
    return this.#calls.entries().some((call) => call.callee === callee);
  }

  /** What waits for this callee may have been handed to an owner of its name that has just lost it. */
  keepFormerOwner(callee: Callee, owner: string): void {
    for (const call of this.#calls.entries()) {
      if (call.callee !== callee) continue;
      call.formerOwners ??= new Set();
      call.formerOwners.add(owner);
    }
  }

  /** Rejects what a user of the connection waits for, whose share of it was closed. */
  endCallsOf(user: object): void {
    for (const call of this.#calls.entries()) {
      if (call.user !== user) continue;
      const text = `the share of the connection was closed while waiting for ${describeMessage(call.head)}`;
      this.fail(call.serial, 'closed', () => closedError(text, undefined));
    }
  }

  /** Rejects everything that waits. */
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
    call.unlisten?.();
    call.resolve(result);
    if (this.#calls.size === 0) this.#onChange();
  }
}

/** The function that resolves the promise made last: one for all, where an executor for each would be a closure more. */
let resolve: (result: unknown) => void = forget;
function forget(): void {}
function keepResolve(resolveIt: (result: unknown) => void): void {
  resolve = resolveIt;
}

/**
 * Whether a reply may answer this call. Who was asked by unique name must answer; who was asked by well-known name
 * answers by its unique name; and the bus answers for peers that do not.
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
 * What a reply resolves its call with.
 *
 * @throws what the call is to reject with, where the reply's body is not valid or `take` does not take it
 */
function resultOf(reply: ReceivedReply, call: PendingCall): unknown {
  const { fault } = reply;
  if (fault !== undefined) throw fault;
  if (reply.type === MessageType.MethodReturn) return call.take(reply, call.options);
  call.options.onError?.(reply.errorName);
  const message = reply.makeMessage().keep();
  const text = reply.signature.startsWith('s') ? reply.stringAt(0) : '';
  const body = reply.bodyLength > SMALL_BODY ? message.bodyLater(call.options) : reply.decode(call.options);
  // Nobody looks for descriptors in an error, to close them.
  reply.discard();
  return rejection(() => errorFromReply(message, text, body, describeMessage(call.head)));
}
