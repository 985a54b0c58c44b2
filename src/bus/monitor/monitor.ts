/**
 * A monitor of a bus: a connection of its own that gets the messages of all others, as an async iterator. It sends
 * nothing after the bus has made it a monitor, because a bus disconnects monitors that do.
 *
 * It knows well-known names from the stream itself, so they are those of the moment. Processes are asked for by the
 * program's connection, whose questions the monitor does not show.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.Monitoring.BecomeMonitor"
 */
import { inspect } from 'node:util';
import { ConnectionClosedError, closedError, type DBusError, InvalidArgumentError } from '../../base/errors.js';
import type { Handle } from '../../base/handle.js';
import { KnownOptions } from '../../base/known-options.js';
import { LoopQueue } from '../../base/loop-queue.js';
import { checkBoolean, checkSignal, checkTimeout } from '../../base/parameters.js';
import { printable } from '../../base/printable.js';
import type { Connection } from '../../connection/connection.js';
import type { CloseListener } from '../../connection/lifecycle.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import { onAbort } from '../../connection/sending/abort-reactions.js';
import type { WaitLimits } from '../../connection/wait-limits.js';
import { report } from '../../diagnostics/problems.js';
import { ArrivalClock } from './arrival-clock.js';
import { type MonitorRule, MonitorRules } from './monitor-rules.js';
import { MonitorSource } from './monitor-source.js';
import { MonitoredMessage } from './monitored-message.js';
import { MonitoredPeers } from './monitored-peers.js';
import { OpenCalls } from './open-calls.js';
import { ProcessQuestions } from './process-questions.js';

/** How a bus is monitored. */
export interface MonitorOptions {
  /**
   * `true`: also the replies to the calls that meet a rule. Replies have neither a path nor an interface, so most rules
   * select none. The bus then sends all replies, and busbar drops the others. `false` by default.
   */
  readonly replies?: boolean | undefined;
  /**
   * `true`: asks the bus for the process of each peer when it is first seen, over the connection of the program. A
   * message waits for the answers. The monitor does not show these calls. `false` by default.
   */
  readonly processes?: boolean | undefined;
  /** How many messages may be queued. Beyond that, or beyond 64 MiB, the oldest are dropped. 16 384 by default. */
  readonly limit?: number | undefined;
  /** Milliseconds in which the bus has to make the connection a monitor. 10 000 by default. */
  readonly timeout?: number | undefined;
  /** Aborting ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_LIMIT = 16_384;
const QUEUED_BYTES = 64 * 1024 * 1024;
/** What a message takes without its body, roughly. */
const MESSAGE_BYTES = 512;
const DEFAULT_TIMEOUT = 10_000;
/** Descriptors of more messages are closed at once: a process has about a thousand. */
const DESCRIPTOR_MESSAGES = 64;

const monitorOptions = new KnownOptions<MonitorOptions>('monitor()', {
  replies: checkBoolean,
  processes: checkBoolean,
  limit(value, name) {
    if (value === undefined || (typeof value === 'number' && value >= 1)) return;
    throw new InvalidArgumentError(`${name}: expected a number of at least 1, got ${String(value)}`);
  },
  timeout: checkTimeout,
  signal: checkSignal,
});

/** The bus of the program. */
export interface MonitoredBus {
  /** Connects to the same bus once more, up to authentication. */
  openAnother(signal: AbortSignal): Promise<Connection>;
  /** The present connection of the program, which asks for processes. */
  connection(): Connection;
  uniqueName(): string | undefined;
  whenClosed(listener: CloseListener): () => void;
}

/**
 * The messages of a bus, for `for await`. Leaving the loop, `end`, disposing, an abort, or closing the bus ends the
 * iteration; the loss of the connection makes it throw. Messages that arrived before are still delivered, unless the loop
 * was left.
 *
 * @example
 * ```ts
 * using monitor = bus.monitor({ sender: 'org.example.dbustest' });
 * await monitor.ready;
 * await bus.proxy(TestModule, 'org.example.dbustest', '/org/example/dbustest').call.TestMethod('vm', {});
 * for await (const { member, call, elapsed } of monitor) {
 *   console.log(call?.member ?? member, elapsed);
 *   break;
 * }
 * ```
 */
export class Monitor implements AsyncIterableIterator<MonitoredMessage>, Handle {
  /**
   * Resolves when the bus has made the connection a monitor: it gets every message from then on. Rejects if there is no
   * monitor, as the loop does.
   */
  readonly ready: Promise<void>;
  readonly #bus: MonitoredBus;
  readonly #rules: MonitorRules;
  readonly #withReplies: boolean;
  readonly #queue: LoopQueue<MonitoredMessage, MonitoredMessage>;
  readonly #peers: MonitoredPeers;
  readonly #questions: ProcessQuestions | undefined;
  readonly #calls = new OpenCalls();
  readonly #clock = new ArrivalClock();
  readonly #opening = new AbortController();
  readonly #stops: (() => void)[] = [];
  #source: MonitorSource | undefined;
  /** Settles when the messages before the last one, whose processes are asked for, have been queued. */
  #asking: Promise<unknown> | undefined;
  #asked = 0;
  readonly #limit: number;
  #withDescriptors = 0;
  #latest: MonitoredMessage | undefined;

  /**
   * @internal made by `bus.monitor`
   * @throws {@link InvalidArgumentError} if a rule or an option is not valid
   */
  constructor(bus: MonitoredBus, rules: MonitorRule | readonly MonitorRule[], options: MonitorOptions) {
    monitorOptions.check(options);
    const { replies = false, processes = false, limit = DEFAULT_LIMIT, timeout = DEFAULT_TIMEOUT, signal } = options;
    this.#bus = bus;
    this.#rules = new MonitorRules(rules, replies);
    this.#withReplies = replies;
    this.#limit = limit;
    this.#questions = processes ? new ProcessQuestions(bus) : undefined;
    this.#peers = new MonitoredPeers(this.#questions && ((name) => (this.#questions as ProcessQuestions).ask(name)));
    this.#queue = new LoopQueue({
      limit,
      weightLimit: QUEUED_BYTES,
      weigh: ({ bodyLength }) => bodyLength + MESSAGE_BYTES,
      take: (message) => this.#pass(message),
      forget: (message) => this.#endLoan(message),
      onFirstDrop: () => this.#reportDrop(),
      onEnd: () => this.#close(),
    });
    if (signal?.aborted === true) {
      this.#queue.end();
      this.ready = Promise.reject(signal.reason);
    } else {
      this.#stops.push(bus.whenClosed((reason) => this.#onClosed(reason)));
      if (signal !== undefined) this.#stops.push(onAbort(signal, () => this.#endFor(signal.reason)));
      this.ready = this.#open({ timeout, signal: this.#opening.signal });
    }
    this.ready.catch((reason: unknown) => this.#queue.fail(reason));
  }

  /** How many messages were dropped because the loop was too slow. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /**
   * Resolves with the next message: at once if one is queued, else when it arrives. Closes the descriptors of the message
   * before it.
   *
   * @throws (rejects) once, if there is no monitor: {@link NotSupportedError} if the bus has no monitors,
   * {@link AccessDeniedError} if it refuses, {@link ConnectError} if it cannot be connected to, {@link TimeoutError}
   * @throws (rejects) once, {@link ConnectionClosedError} with the reason as its `cause`, if the connection was lost
   */
  next(): Promise<IteratorResult<MonitoredMessage, undefined>> {
    this.#endLatestLoan();
    return this.#queue.next();
  }

  /** Ends the monitor and drops queued messages. A loop calls it when it is left. */
  return(): Promise<IteratorResult<MonitoredMessage, undefined>> {
    this.#endLatestLoan();
    return this.#queue.leave();
  }

  /** Returns the monitor itself, for `for await`. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Does the same as {@link return}, for a program without a loop. */
  end(): void {
    void this.return();
  }

  /** Does the same as {@link return}, for `using`. */
  [Symbol.dispose](): void {
    void this.return();
  }

  /** @internal */
  [inspect.custom](): string {
    const state = this.#queue.isOver ? 'ended' : this.#source?.isMonitor === true ? 'open' : 'opening';
    const rules = this.#rules.texts.length === 0 ? 'all messages' : `${this.#rules.texts.length} rules`;
    return printable(`Monitor { ${rules}, ${state}, ${this.#queue.size} waiting, ${this.dropped} dropped }`);
  }

  async #open(limits: WaitLimits): Promise<void> {
    const connection = await this.#bus.openAnother(this.#opening.signal);
    const source = new MonitorSource(connection, this.#peers, (received) => this.#take(received));
    this.#source = source;
    if (this.#queue.isOver) source.end();
    this.#opening.signal.throwIfAborted();
    connection.whenClosed((reason) => this.#onClosed(reason));
    await source.become(this.#rules.texts, limits);
  }

  #take(received: Inbox): void {
    if (this.#questions?.isQuestion(received) === true || this.#queue.isOver) return;
    const isWanted =
      this.#rules.areMetBy(received, this.#peers) ||
      (this.#withReplies && received.isReply && this.#calls.isAnsweredBy(received));
    if (isWanted) this.#add(this.#message(received));
  }

  #message(received: Inbox): MonitoredMessage {
    const incoming = received.makeMessage(true).keepForGood();
    let descriptors = 0;
    if (received.hasDescriptors) {
      descriptors = incoming.fileDescriptors.length;
      if (this.#withDescriptors >= DESCRIPTOR_MESSAGES) incoming.endLoan();
    }
    const circumstances = {
      ...this.#clock.now(),
      from: this.#peers.find(received.sender),
      to: this.#peers.find(received.destination),
      call: this.#calls.take(received),
    };
    const message = new MonitoredMessage(incoming, circumstances, descriptors);
    if (message.hasDescriptors) this.#withDescriptors++;
    this.#calls.add(message);
    return message;
  }

  /** Queues a message, after those before it, and after the answers about its processes. */
  #add(message: MonitoredMessage): void {
    const known = this.#peers.untilKnown(message.from, message.to);
    if (known === undefined && this.#asking === undefined) {
      this.#queue.push(message);
      return;
    }
    if (this.#asked >= this.#limit) {
      this.#queue.drop(message);
      return;
    }
    this.#asked++;
    const asking = Promise.all([this.#asking, known]).then(() => {
      this.#queue.push(message);
      if (--this.#asked === 0) this.#asking = undefined;
    });
    this.#asking = asking;
  }

  #pass(message: MonitoredMessage): MonitoredMessage {
    this.#latest = message;
    return message;
  }

  #endLatestLoan(): void {
    if (this.#latest !== undefined) this.#endLoan(this.#latest);
    this.#latest = undefined;
  }

  #endLoan(message: MonitoredMessage): void {
    if (!message.hasDescriptors) return;
    message.endLoan();
    this.#withDescriptors--;
  }

  #reportDrop(): void {
    const what = `a loop over monitored messages is too slow: ${this.#limit} messages or 64 MiB wait, and the oldest are dropped from now on`;
    report('message', what, undefined, this.#source?.id);
  }

  #onClosed(reason: DBusError | undefined): void {
    if (reason === undefined) this.#endFor(new ConnectionClosedError('the bus was closed before it was monitored'));
    else
      this.#afterAsked(() =>
        this.#queue.fail(closedError('the connection was lost while the bus was monitored', reason)),
      );
  }

  /** @param reason why there is no monitor, if it was not ready */
  #endFor(reason: unknown): void {
    this.#opening.abort(reason);
    this.#afterAsked(() => this.#queue.end());
  }

  /** Ends behind the messages that wait for answers. */
  #afterAsked(end: () => void): void {
    if (this.#asking === undefined) end();
    else void this.#asking.then(end);
  }

  #close(): void {
    this.#opening.abort(new ConnectionClosedError('the monitor was ended'));
    for (const stop of this.#stops.splice(0)) stop();
    this.#source?.end();
  }
}
