/**
 * A method call that is being answered. It is also the `CallContext` of the handler. Operations that cost something
 * (following the caller, asking for its credentials) happen only when the handler needs them.
 */

import { inspect } from 'node:util';
import { CallerLeftError, ConnectionClosedError, closedError } from '../../base/errors.js';
import { printable } from '../../base/printable.js';
import type { Bus } from '../../bus/bus.js';
import type { CallerEnd, CallerLife, CallerListener } from '../../bus/callers/caller-life.js';
import type { Callers } from '../../bus/callers/callers.js';
import type { CallsAtWork } from '../../bus/calls-at-work.js';
import type { DecodeOptions } from '../../codec/decode-options.js';
import type { Connection } from '../../connection/connection.js';
import { describeMessage, MessageType } from '../../connection/message.js';
import type { IncomingMessage } from '../../connection/receiving/incoming-message.js';
import type { MethodDescription } from '../../interface/description.js';
import type { FileDescriptor } from '../../values/file-descriptor.js';
import type { ObjectTree, TreeNode } from '../objects/object-tree.js';
import { type AuthorizeOptions, authorize } from '../permits/authorize.js';
import type { CallContext } from './call-context.js';
import { CallingConnection } from './caller.js';
import type { CallsInProgress } from './calls-in-progress.js';
import { asAnswer, type ErrorAnswer } from './error-answer.js';
import type { ReplyHeads } from './reply-heads.js';

const none: readonly never[] = [];

export class IncomingCall implements CallContext, CallerListener {
  readonly message: IncomingMessage;
  /** The tree with the called object. */
  readonly tree: ObjectTree;
  /** The called node, for the standard interfaces. It is set before they are called, and for no other call. */
  node!: TreeNode;
  readonly #bus: Bus;
  /** The connection that the call came over. It cannot be answered over another one. */
  readonly #connection: Connection;
  readonly #replyHeads: ReplyHeads;
  /**
   * The subject of the answer, if it is not the method: a property, whose name precedes paths in error texts.
   */
  subject: { readonly name: string; readonly signature: string; readonly root: string } | undefined;
  /** The users that exported the called object, whose `close` waits for this call. */
  #atWork: readonly CallsAtWork[] = none;
  #caller: CallingConnection | undefined;
  /** What aborts {@link signal}, and the life of the caller, which has to end before. */
  #following: { readonly controller: AbortController; readonly life: CallerLife | undefined } | undefined;
  #answered = false;
  /** The count that includes this call, while it is counted. */
  #inProgress: CallsInProgress | undefined;

  constructor(bus: Bus, tree: ObjectTree, replyHeads: ReplyHeads, message: IncomingMessage) {
    this.#bus = bus;
    this.#connection = bus.receiving;
    this.#replyHeads = replyHeads;
    this.tree = tree;
    this.message = message;
  }

  /** The number in diagnostics of the connection that received the call. */
  get connectionId(): number {
    return this.#connection.id;
  }

  /** The bus that the call came over. Its connection may have been replaced: see {@link isConnected}. */
  get bus(): Bus {
    return this.#bus;
  }

  /** Whether the connection that the call came over can still carry messages to the caller. */
  get isConnected(): boolean {
    return this.#connection.carriesMessages;
  }

  /** How many file descriptors the answer may carry. */
  get descriptors(): number {
    return this.#bus.limits.messageDescriptors;
  }

  get sender(): string | undefined {
    return this.message.sender;
  }

  get path(): string {
    return this.message.path ?? '/';
  }

  get interface(): string | undefined {
    return this.message.interface;
  }

  get member(): string {
    return this.message.member ?? '';
  }

  get flags(): number {
    return this.message.flags;
  }

  get fileDescriptors(): readonly FileDescriptor[] {
    return this.message.fileDescriptors;
  }

  get caller(): CallingConnection {
    this.#caller ??= new CallingConnection(this.#bus, this.#callers, this.#connection, this.sender);
    return this.#caller;
  }

  /** Those of the user that exported the called object; if there are several, those of the connection. */
  get #callers(): Callers {
    const [user, another] = this.#atWork;
    return (another === undefined ? user?.callers : undefined) ?? this.#bus.callers;
  }

  get signal(): AbortSignal {
    this.#following ??= { controller: new AbortController(), life: this.#answered ? undefined : this.#followCaller() };
    return this.#following.controller.signal;
  }

  /** A share that exported the called object may close: its handler can still answer over the connection. */
  #followCaller(): CallerLife {
    const { callers, isPeer } = this.#bus;
    const life = callers.lifeOf(isPeer ? undefined : this.sender, this.#connection);
    life.add(this);
    return life;
  }

  decode(options: DecodeOptions): unknown[] {
    return this.message.decode(options);
  }

  /**
   * The arguments for busbar's own use, or for the handler.
   *
   * @throws the error for the caller if the arguments cannot be decoded
   */
  readArguments(options?: DecodeOptions): unknown[] {
    try {
      return this.message.decode(options);
    } catch (error) {
      throw asAnswer(error);
    }
  }

  authorize(action: string, options?: AuthorizeOptions, isQuiet?: boolean): Promise<void> {
    return authorize(this.#connection, this, action, options, isQuiet);
  }

  /** @internal */
  [inspect.custom](): string {
    return printable(`CallContext { ${this.what} }`);
  }

  /** The description of the call, for reports. */
  get what(): string {
    return `${describeMessage(this.message)} from ${this.sender ?? 'the peer'}`;
  }

  /** Text for a value from the handler that has the wrong type: what it is, and the signature that it should have. */
  misfitOf({ outSignature }: MethodDescription): string {
    const { interface: interfaceName, member, path } = this;
    const method = interfaceName === undefined ? member : `${interfaceName}.${member}`;
    const { name, signature } = this.subject ?? { name: `the result of ${method}`, signature: outSignature };
    return `${name} at ${path} does not match its signature "${signature}"`;
  }

  /**
   * Sends the announcements that precede the answer. They read properties, so the values of the answer may be older than
   * theirs if it was made before.
   */
  letOutFirst(): void {
    if (this.message.expectsReply) this.#connection.letOutFirst();
  }

  /**
   * Replies with values, unless the caller wants no reply.
   *
   * @returns whether they were sent: if they are too large, the caller gets an error
   * @throws {@link InvalidArgumentError} if a value has the wrong type; nothing is sent then
   */
  reply(signature: string, body: readonly unknown[]): boolean {
    if (!this.#mayAnswer()) return false;
    const { sender, serial } = this.message;
    const sent = this.#connection.sender.answer(this.#replyHeads.get(sender, signature), body, serial);
    this.finish();
    return sent;
  }

  /**
   * Replies with an error, unless the caller wants no reply.
   *
   * @returns whether it was sent
   * @throws {@link InvalidArgumentError} if a value has the wrong type; nothing is sent then
   */
  replyError(answer: ErrorAnswer): boolean {
    if (!this.#mayAnswer()) return false;
    const { sender: destination, serial } = this.message;
    const { errorName, signature, body } = answer;
    const head = { type: MessageType.Error, destination, errorName, signature };
    const sent = this.#connection.sender.answer(head, body, serial);
    this.finish();
    return sent;
  }

  /**
   * Whether a handler failed with this error because its caller has left: it waited for an operation that ended with
   * the signal of the call or of the caller, or with the connection of the call, or asked for the caller's credentials.
   */
  isEndOfCaller(thrown: unknown): boolean {
    const signal = this.#following?.controller.signal;
    const reasons = [signal?.reason, this.#caller?.endReason].filter((reason) => reason !== undefined);
    if (reasons.length > 0 && (reasons.includes(thrown) || isAbortError(thrown))) return true;
    if (this.#caller?.isGoneBy(thrown) === true) return true;
    return this.#connection.state !== 'open' && thrown instanceof ConnectionClosedError;
  }

  #mayAnswer(): boolean {
    if (this.message.expectsReply && !this.#answered && this.#connection.carriesMessages) return true;
    this.finish();
    return false;
  }

  /** Sets the users that exported the called object, unless the call counts for some already. */
  ofUsers(atWork: readonly CallsAtWork[]): void {
    if (this.#inProgress === undefined) this.#atWork = atWork;
  }

  /** Counts the call, because its handler takes time, until it is answered or its caller has left. */
  begin(inProgress: CallsInProgress): void {
    // A call that had to wait for its object is counted already.
    if (this.#inProgress !== undefined) return;
    inProgress.begin(this.sender);
    for (const each of this.#atWork) each.begin();
    this.#inProgress = inProgress;
  }

  /** Keeps the arguments and counts the call, because its object has to be found first. */
  wait(inProgress: CallsInProgress, atWork: readonly CallsAtWork[]): void {
    // The claim to the descriptors begins when they are first read, and must before the message is released.
    void this.message.keepForGood().fileDescriptors;
    this.ofUsers(atWork);
    this.begin(inProgress);
  }

  #end(): void {
    if (this.#inProgress === undefined) return;
    this.#inProgress.end(this.sender);
    this.#inProgress = undefined;
    for (const each of this.#atWork) each.end();
  }

  /** Ends the call: the caller is no longer followed, and lent descriptors are given back. */
  finish(): void {
    this.#answered = true;
    if (this.#inProgress !== undefined) this.#end();
    this.message.endLoan();
    this.node?.release();
    this.#following?.life?.remove(this);
  }

  /** The caller has ended before the call was answered. */
  callerEnded(end: CallerEnd): void {
    this.#end();
    this.#following?.controller.abort(
      end === 'left'
        ? new CallerLeftError(`${this.sender} left the bus before ${this.what} was answered`)
        : closedError(`the connection was closed before ${this.what} was answered`, end.loss),
    );
  }
}

/** Whether this is an error that Node.js makes for an aborted signal, for instance in `timers/promises`. */
function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
