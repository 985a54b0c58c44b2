/**
 * A connection as a participant of a bus: it receives signals, to which it subscribes, and messages for its handlers, and
 * answers the calls that have arrived before it closes. The same class serves between peers without a bus.
 *
 * `MessageBus` extends it with objects and proxies.
 */

import { ConnectionClosedError } from '../base/errors.js';
import { EndHandle, type Handle } from '../base/handle.js';
import { checkBusNamespace } from '../base/names.js';
import { checkFunction, checkObject } from '../base/parameters.js';
import type { Connection } from '../connection/connection.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import { report } from '../diagnostics/problems.js';
import type { BusStats } from './bus-stats.js';
import { Callers } from './callers/callers.js';
import { CallsAtWork } from './calls-at-work.js';
import { type MessageHandler, type MessageHandlerOptions, messageHandlerOptions } from './message-handlers.js';
import { Monitor, type MonitorOptions } from './monitor/monitor.js';
import type { MonitorRule } from './monitor/monitor-rules.js';
import { type BusOptions, NamedEndpoint } from './names/named-endpoint.js';
import { checkNamesWatcher, NamesWatch, type NamesWatcher } from './names/names-watcher.js';
import type { SignalTaker } from './rules/listener.js';
import type { MatchRule } from './rules/match-rule.js';
import type { Subscription } from './rules/subscription.js';
import type { SignalListener } from './rules/subscriptions.js';

/**
 * The conditions of a subscription. Each key narrows it. As `formatMatchRule` writes it, with `type='signal'`, it may
 * have at most 1024 bytes.
 */
export type SubscriptionRule = Omit<MatchRule, 'type'>;

/** A participant of a bus, without objects and proxies. {@link MessageBus} has both. */
export abstract class Bus extends NamedEndpoint {
  /** The bus that this one is a share of, or itself. */
  readonly #whole: Bus;

  /** @internal what has to be answered before this closes: for a share, the calls of its own handlers */
  readonly atWork: CallsAtWork;

  /** @internal the callers that this waits for */
  readonly callers: Callers;

  /** @internal whether anything is exported, so that calls may have to be answered */
  protected abstract get hasObjects(): boolean;

  /** @internal whether the connection closes with this share: there is no other share, or all of them are closing */
  protected abstract get isLast(): boolean;

  /**
   * @internal programs use `connect`, `sessionBus` and `systemBus`
   * @param source a connection, or a bus that this becomes a share of
   */
  constructor(source: Connection | Bus, options: BusOptions) {
    super(source, options);
    const isShare = source instanceof Bus;
    this.#whole = isShare ? source.#whole : this;
    this.callers = new Callers(this, this.routing.callers);
    this.atWork = new CallsAtWork(isShare ? source.atWork : undefined, this.callers);
  }

  /**
   * @internal Ends the service of this connection. The names are given back first, so that callers go elsewhere. When
   * the bus has answered that, all calls that it had routed here have arrived. Between peers the calls that have
   * arrived are those in the socket's buffer.
   */
  protected override async answerWhatCame(): Promise<void> {
    const { connection, handlers, names } = this.routing;
    if (!this.isShare) this.routing.isLeaving = true;
    const hasNames = (names?.size(this.isShare ? this : undefined) ?? 0) > 0;
    const left = this.isShare ? names?.releaseAll(this) : names?.leave();
    try {
      await left;
      if (hasNames || this.hasObjects || !handlers.isEmpty || !this.#whole.atWork.isEmpty) {
        if (this.isPeer) await connection.readWhatCame();
        else if (!hasNames) await this.roundTrip();
        await this.#atWorkDone();
      }
    } catch (error) {
      // The loss of the connection ends everything.
      if (!(error instanceof ConnectionClosedError)) report('name', 'leaving the bus', error, this.connectionId);
    }
  }

  /** @internal the number of calls that have arrived, for all shares of the connection */
  get callsReceived(): number {
    return this.routing.calls.received;
  }

  /** @internal whether there is a message handler, which may answer calls */
  protected get answersByHandlers(): boolean {
    return !this.routing.handlers.isEmpty;
  }

  /** Handlers send through this connection until they are done. The last share waits for the handlers of all shares. */
  async #atWorkDone(): Promise<void> {
    const stop = this.routing.taken.giveUpWithCallers(this.routing.callers, () => this.listNames());
    // The connection may be lost before they are done.
    const forget = this.whenClosed(stop);
    await (this.isLast ? this.#whole.atWork : this.atWork).done();
    forget();
    stop();
  }

  /** @internal */
  protected override checkAnswer(replySerial: number, destination: string | undefined): void {
    if (!this.routing.taken.isOrphan(replySerial, destination)) return;
    throw this.link.refusal(`the call ${replySerial} cannot be answered: it came over a connection that was lost`);
  }

  /** @internal */
  protected override noteAnswer(replySerial: number, destination: string | undefined): void {
    this.routing.taken.answer(replySerial, destination);
  }

  /**
   * Adds a handler that sees every incoming call and signal before busbar dispatches it. Handlers are called in the
   * order in which they were added. If a handler throws, the message counts as not handled. A handler that handles a
   * call must answer it with {@link send}; {@link close} waits for that. busbar processes the bus's signals about names
   * before it calls any handler.
   *
   * @param options with `replies: true` the handler gets replies and errors as well
   * @returns a handle that ends this registration; one function may have several registrations
   * @throws {@link InvalidArgumentError} if `handler` is not a function, or an option is not valid
   * @throws {@link ConnectionClosedError} if the connection is closed
   */
  addMessageHandler(handler: MessageHandler, options: MessageHandlerOptions = {}): Handle {
    checkFunction(handler, 'handler');
    messageHandlerOptions.check(options);
    this.requireOpen('no message handler can be added');
    const registration = this.routing.handlers.add(handler, options, this);
    return new EndHandle(
      'message handler',
      handler.name || 'anonymous',
      this.belong(() => registration[Symbol.dispose]()),
    );
  }

  /**
   * Subscribes to the signals that match a rule. The bus filters them. Equal rules are one rule at the bus.
   *
   * If the rule's `sender` is a well-known name, a signal is delivered only if it comes from the connection that owns
   * the name at that time. Between peers `sender` is ignored, because all signals come from the peer. A rule whose
   * `destination` is the connection's unique name also matches signals that are sent to the well-known names that it
   * owns.
   *
   * A rule that the bus refuses, for instance because its limit is reached, does not keep the process alive. The next
   * equal subscription asks the bus again. If the bus accepts the rule then, the earlier listeners get signals, too.
   *
   * @returns a handle that ends the subscription; its `ready` settles with the bus's answer to the rule
   * @throws {@link InvalidArgumentError} if the rule is not valid
   * @throws {@link ConnectionClosedError} if the connection is closed
   * @see D-Bus specification, section "Match Rules"
   */
  subscribe(rule: SubscriptionRule, listener: SignalListener): Subscription {
    checkObject(rule, 'rule');
    checkFunction(listener, 'listener');
    return this.listen(rule, new MessageTaker(listener));
  }

  /**
   * @internal as `subscribe`, for a listener that keeps no message: `taker` gets the inbox that holds the signal
   *
   * @param reportsLoss whether its user rejects, or throws, when the connection is lost
   */
  listen(rule: SubscriptionRule, taker: SignalTaker, reportsLoss = false): Subscription {
    this.requireOpen('nothing can be subscribed to');
    return this.routing.subscriptions.add({ ...rule, type: 'signal' }, taker, this, reportsLoss);
  }

  /**
   * Follows the owners of all names in a namespace: of the name itself, and of those that begin with it and a dot. The
   * watcher is called first for the names that have an owner, and then for every change. When the connection is lost,
   * `vanished` is called for each. After `close` nothing is called.
   *
   * @example
   * ```ts
   * using _watch = bus.watchNames('org.mpris.MediaPlayer2', {
   *   appeared: (name, owner) => console.log(name, owner),
   *   vanished: (name) => console.log(name, 'is gone'),
   * });
   * ```
   * @returns a handle that ends the watch
   * @throws {@link InvalidArgumentError} if the namespace or the watcher is not valid
   * @throws {@link NotSupportedError} between peers
   * @throws {@link ConnectionClosedError} if the connection is closed
   * @see D-Bus specification, section "org.freedesktop.DBus.NameOwnerChanged"
   */
  watchNames(namespace: string, watcher: NamesWatcher): Handle {
    checkBusNamespace(namespace, 'namespace');
    checkNamesWatcher(watcher);
    this.requireBus('watchNames');
    this.requireOpen(`${namespace} cannot be watched`);
    const watch = new NamesWatch(namespace, watcher, this);
    return new EndHandle(
      'watched namespace',
      namespace,
      this.belong(() => watch.end(), true),
    );
  }

  /**
   * Monitors the bus: iterates over the messages of all connections, or those that meet one of some rules. The monitor
   * has a connection of its own to the same bus, so this one stays as it is. On a system bus, only root may monitor.
   *
   * @example
   * ```ts
   * using monitor = bus.monitor({ interface: 'org.example.dbustest.Module' }, { replies: true });
   * await monitor.ready;
   * void bus.proxy(TestModule, 'org.example.dbustest', '/org/example/dbustest').call.TestMethod('vm', {});
   * for await (const { from, member, call, elapsed } of monitor) {
   *   if (call === undefined) console.log(from?.names, 'calls or emits', member);
   *   else console.log(call.member, 'was answered after', elapsed, 'ms');
   *   if (call !== undefined) break;
   * }
   * ```
   * @param rules which messages: a rule, or several; all messages by default
   * @throws {@link InvalidArgumentError} if a rule or an option is not valid
   * @throws {@link NotSupportedError} between peers
   * @throws {@link ConnectionClosedError} if the connection is closed
   * @see D-Bus specification, section "org.freedesktop.DBus.Monitoring.BecomeMonitor"
   */
  monitor(rules: MonitorRule | readonly MonitorRule[] = [], options: MonitorOptions = {}): Monitor {
    this.requireBus('monitor');
    this.requireOpen('it cannot be monitored');
    return new Monitor(
      {
        connection: () => this.connection,
        uniqueName: () => this.uniqueName,
        openAnother: (signal) => this.link.openAnother(signal),
        whenClosed: (listener) => this.whenClosed(listener),
      },
      rules,
      options,
    );
  }

  /**
   * Returns counts of what the connection holds, which return to their earlier values when everything is released, and
   * of what it has done.
   */
  stats(): BusStats {
    const { callees, callers, matchRules, names, subscriptions } = this.routing;
    return {
      connection: this.connectionId,
      state: this.state,
      matchRules: matchRules.size,
      calledNames: callees?.size ?? 0,
      followedCallers: callers.size,
      subscriptions: subscriptions.listeners + (this.state === 'closed' ? 0 : this.watchedNames),
      ownedNames: names?.size() ?? 0,
      droppedSignals: subscriptions.droppedSignals,
      unmatchedSignals: subscriptions.unmatchedSignals,
      ...this.link.counts,
    };
  }
}

/** Passes signals to a listener as messages. */
class MessageTaker implements SignalTaker {
  readonly #listener: SignalListener;

  constructor(listener: SignalListener) {
    this.#listener = listener;
  }

  take(received: Inbox): unknown {
    const listener = this.#listener;
    return listener(received.makeMessage().keep());
  }
}
