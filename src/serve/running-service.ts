/**
 * A service from its start to its end: it exports objects, owns a name, tells the service manager, and leaves in an order in
 * which no call is lost.
 *
 * The bus handles messages in order. When it has answered the release of the name, every call that it had routed here has
 * arrived, and the next one starts the service again, if the bus can start it. The service manager is told of the end
 * before that: it would take a process without its name for a running service, and start no other.
 */
import { ConnectionClosedError, closedError, type DBusError, InvalidArgumentError } from '../base/errors.js';
import { EndableHandle, EndHandle, type Handle } from '../base/handle.js';
import type { OwnedName } from '../bus/names/owned-name.js';
import { onAbort } from '../connection/sending/abort-reactions.js';
import { CLOSE_LIMIT, startTimer, TimeLimit } from '../connection/time-limit.js';
import { report, reportFailure } from '../diagnostics/problems.js';
import type { MessageBus } from '../message-bus.js';
import { Idleness } from './idleness.js';
import type { ServeOptions, Service } from './serve-options.js';
import { exportAll, madeObjects } from './served-objects.js';
import { noteBegin, noteEnd, noteFailure, type ServiceEnd } from './service-end.js';
import { monotonicMicroseconds, ServiceManager } from './service-manager.js';
import { onStopSignal } from './stop-signals.js';

/** Milliseconds that a service answers calls after its end was requested: by then, most callers have given up. */
const DRAIN = 25_000;

/** Milliseconds after which a service that is held at its end looks whether it still is. */
const LOOK_AGAIN = 100;

export class RunningService extends EndableHandle implements Service {
  readonly bus: MessageBus;
  readonly name: string | undefined;
  readonly #options: ServeOptions;
  readonly #manager: ServiceManager | undefined;
  #state: Service['state'] = 'starting';
  /** How it ends, as soon as that was requested, and the time for what is done then. */
  #end: ServiceEnd | undefined;
  #limit: TimeLimit | undefined;
  /** Whether its bus is being closed, which it does not change its mind about. */
  #isClosing = false;
  readonly #requested: Promise<void>;
  #resolveRequested!: () => void;
  readonly #ended: Promise<ServiceEnd>;
  #resolveEnded!: (end: ServiceEnd) => void;
  /** Whether the program waits for the end. */
  #isAwaited = false;
  readonly #exports: Handle[] = [];
  #owned: OwnedName | undefined;
  #idleness: Idleness | undefined;
  readonly #holds = new Set<object>();
  #onUnheld: () => void = () => {};
  /** They end what listens for a reason to end. */
  readonly #stops: (() => void)[] = [];

  constructor(bus: MessageBus, options: ServeOptions) {
    super();
    this.bus = bus;
    this.name = options.name;
    this.#options = options;
    this.#manager = options.notify === false ? undefined : ServiceManager.take();
    this.#requested = new Promise((resolve) => {
      this.#resolveRequested = resolve;
    });
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get state(): Service['state'] {
    return this.#state;
  }

  get ended(): Promise<ServiceEnd> {
    this.#isAwaited = true;
    return this.#ended;
  }

  /** Resolves when it runs, or has ended before that. Rejects if it cannot run: then nothing of it is left. */
  async start(): Promise<this> {
    noteBegin();
    this.#listen();
    try {
      await this.#open();
    } catch (error) {
      await this.#undo();
      throw error;
    }
    if (this.#end === undefined) await this.#run();
    else await this.#leave();
    return this;
  }

  #listen(): void {
    const { handleSignals, signal, reload } = this.#options;
    if (handleSignals !== false) {
      this.#stops.push(onStopSignal((which) => this.#leaveFor({ reason: 'signal', exitCode: 0, signal: which })));
    }
    if (reload !== undefined) {
      const hear = () => void this.#reload(reload);
      process.on('SIGHUP', hear);
      this.#stops.push(() => process.off('SIGHUP', hear));
    }
    if (signal !== undefined) {
      const abort = () => this.#leaveFor({ reason: 'aborted', exitCode: 0 });
      if (signal.aborted) abort();
      else this.#stops.push(onAbort(signal, abort));
    }
    void this.bus.disconnected.then((error) => {
      if (error === undefined) this.endNow();
      else this.#leaveFor({ reason: 'disconnected', exitCode: 1, error });
    });
  }

  /** Exports first: the call that started the service arrives with the name. */
  async #open(): Promise<void> {
    const { bus, name } = this;
    const { objects, objectManager } = this.#options;
    const served = typeof objects === 'function' ? await this.#inTime(madeObjects(objects, this)) : objects;
    if (served === undefined) return;
    if (objectManager !== undefined) this.#exports.push(bus.exportObjectManager(objectManager));
    exportAll(bus, served, this.#exports);
    if (name === undefined) return;
    this.#owned = await this.#inTime(this.#requestName(name));
    await Promise.race([this.#owned?.acquired, this.#requested]);
  }

  #requestName(name: string): Promise<OwnedName> {
    const { replace = false, allowReplacement = false, queue = false } = this.#options;
    return this.bus.requestName(name, { replace, allowReplacement, queue });
  }

  /**
   * Waits for a step of the start. A service that is asked to end before it has its name starts even so: a call may wait for
   * it. It gives up, with `undefined`, when the time for the end is over; and if the bus has ended, it rejects.
   */
  #inTime<Value>(step: Promise<Value>): Promise<Value | undefined> {
    const late = this.#requested.then(() => this.#limit?.over).then(() => undefined);
    const gone = this.bus.disconnected.then((error): never => {
      throw closedError(`the connection is closed: ${this.#label} was not started`, error);
    });
    return Promise.race([step, late, gone]);
  }

  async #undo(): Promise<void> {
    this.#state = 'ended';
    this.#unlisten();
    for (const each of this.#exports) each.end();
    await this.#owned?.release().catch(() => {});
    this.#manager?.leave();
    noteFailure();
    this.#resolveEnded(this.#end ?? { reason: 'ended', exitCode: 0 });
  }

  #unlisten(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.#limit?.end();
  }

  async #run(): Promise<void> {
    this.#state = 'running';
    if (this.#owned !== undefined) void this.#watchName(this.#owned);
    const ready = this.#manager?.tell('READY=1');
    const { pingInterval } = this.#manager ?? {};
    if (pingInterval !== undefined) {
      const timer = setInterval(() => void this.#manager?.tell('WATCHDOG=1'), pingInterval).unref();
      this.#stops.push(() => clearInterval(timer));
    }
    this.#watchIdleness();
    await ready;
  }

  #watchIdleness(): void {
    const { exitWhenIdle } = this.#options;
    if (exitWhenIdle === undefined) return;
    const { bus } = this;
    const look = () => {
      const isOwner = this.#owned === undefined || this.#owned.state === 'owned';
      const isBusy = !isOwner || bus.state !== 'open' || this.#isHeld || !bus.atWork.isEmpty;
      return { calls: bus.callsReceived, isBusy };
    };
    this.#idleness = new Idleness(exitWhenIdle, look, () => this.#leaveFor({ reason: 'idle', exitCode: 0 }));
  }

  /** A name that is queued for, or requested again over a new connection, is not lost. */
  async #watchName(owned: OwnedName): Promise<void> {
    for (;;) {
      const loss = await owned.lost;
      if (owned !== this.#owned) return;
      if (owned.state !== 'lost') {
        await owned.acquired.catch(() => {});
        continue;
      }
      if (loss === 'released') this.endNow();
      const isAllowed = this.#options.allowReplacement === true;
      if (loss === 'replaced') this.#leaveFor({ reason: loss, exitCode: isAllowed ? 0 : 1 });
      if (loss === 'refused') {
        await owned.acquired.catch((error: DBusError) => this.#leaveFor({ reason: loss, exitCode: 1, error }));
      }
      return;
    }
  }

  async #reload(reload: () => unknown): Promise<void> {
    await this.#manager?.tell('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`);
    try {
      await reload();
    } catch (error) {
      reportFailure('the reload of a service', error, this.bus.connectionId);
    }
    if (this.#state === 'running') await this.#manager?.tell('READY=1');
  }

  setStatus(text: string): void {
    if (typeof text !== 'string') throw new InvalidArgumentError(`text: expected a string, got ${typeof text}`);
    void this.#manager?.tell(`STATUS=${text}`);
  }

  hold(): Handle {
    const held = {};
    this.#holds.add(held);
    return new EndHandle('hold', this.#label, () => {
      if (this.#holds.delete(held) && this.#holds.size === 0) this.#onUnheld();
    });
  }

  /** @internal */
  override endNow(): void {
    this.#leaveFor({ reason: 'ended', exitCode: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.endNow();
    await this.ended;
  }

  get #label(): string {
    return this.name ?? this.bus.uniqueName ?? 'peer';
  }

  protected override get shown(): string {
    return `Service { ${this.#label}, ${this.#state} }`;
  }

  #leaveFor(end: ServiceEnd): void {
    if (this.#end === undefined && this.#state !== 'ended') {
      this.#end = end;
      this.#limit = new TimeLimit(this.#options.drain ?? DRAIN);
      this.#resolveRequested();
      // One that starts leaves when it has started.
      if (this.#state === 'running') void this.#leave();
    } else if (this.#end?.reason === 'idle' && !this.#isClosing) {
      // It might have stayed.
      this.#end = end;
      this.#onUnheld();
    }
  }

  async #leave(): Promise<void> {
    const { bus } = this;
    const { drain = DRAIN } = this.#options;
    const limit = this.#limit as TimeLimit;
    const endsAt = performance.now() + drain;
    this.#state = 'ending';
    this.#idleness?.end();
    // The manager would end a process with another service.
    if (this.#manager?.leave() === true) await this.#manager.tell('STOPPING=1');
    await Promise.race([this.#answerAll(limit), limit.over, bus.disconnected]);
    if (this.#end === undefined) return;
    this.#isClosing = true;
    this.#onUnheld();
    if (limit.isOver && !limit.isAtOnce) this.#reportUnanswered();
    // What was answered is written, in any case.
    await bus.close({ drain: Math.max(endsAt - performance.now(), Math.min(drain, CLOSE_LIMIT)) });
    this.#unlisten();
    this.#state = 'ended';
    noteEnd(this.#end, this.#label, this.#isAwaited);
    this.#resolveEnded(this.#end);
  }

  /** The bus stays as it is until all is answered: handlers may subscribe, wait for signals, and call. */
  async #answerAll(limit: TimeLimit): Promise<void> {
    const { bus } = this;
    await this.#releaseName();
    for (let mayStay = true; ; mayStay = false) {
      await bus.atWork.done();
      // Only a service that would not have ended with a hold waits for it.
      if (this.#isClosing || this.#end?.reason !== 'idle' || !this.#isHeld) return;
      if (!mayStay) await this.#unheld();
      else if (await this.#stays(limit)) return;
    }
  }

  /** Whether something outlives a call: a hold, or a caller that a handler follows until it leaves. */
  get #isHeld(): boolean {
    return this.#holds.size > 0 || this.bus.callers.size > 0;
  }

  /** Resolves when the last hold has ended, and now and then, because callers may have left. */
  #unheld(): Promise<void> {
    return new Promise((resolve) => {
      const stop = startTimer(resolve, LOOK_AGAIN);
      this.#onUnheld = () => {
        stop();
        resolve();
      };
    });
  }

  async #releaseName(): Promise<void> {
    const owned = this.#owned;
    this.#owned = undefined;
    try {
      await owned?.release();
    } catch (error) {
      if (error instanceof ConnectionClosedError) return;
      report('name', `${this.#label} could not be released`, error, this.bus.connectionId);
    }
  }

  /**
   * A call that arrived before the release holds the service: it takes its name again, unless the service manager was told of
   * the end, or another process has taken its place. Returns whether it stays.
   */
  async #stays(limit: TimeLimit): Promise<boolean> {
    const { name } = this;
    if (name === undefined || this.#manager !== undefined) return false;
    const owned = await this.#requestName(name).catch(() => undefined);
    if (owned?.state !== 'owned' || this.#isClosing || this.#end?.reason !== 'idle') {
      await owned?.release().catch(() => {});
      return false;
    }
    limit.end();
    this.#limit = undefined;
    this.#end = undefined;
    this.#owned = owned;
    this.#state = 'running';
    void this.#watchName(owned);
    this.#watchIdleness();
    return true;
  }

  #reportUnanswered(): void {
    const { callsInProgress } = this.bus.stats();
    if (callsInProgress === 0) return;
    const calls = callsInProgress === 1 ? 'a call is' : `${callsInProgress} calls are`;
    const what = `${this.#label} ends before ${calls} answered`;
    report('handler', what, undefined, this.bus.connectionId);
  }
}
