/**
 * The outcome of calls, in a model: which replies of services pass through a daemon, which call they settle, and what else
 * settles one. Connections are numbers, of which none is used twice.
 */
import type { Daemon } from './private-bus.js';

/** A call of the program. */
export interface ModelledCall {
  readonly caller: number;
  /** The connection that gets it; `undefined` if the name has no owner. */
  readonly callee: number | undefined;
  /**
   * The connections whose replies settle it. For a well-known name, those that owned the name while the call was pending.
   */
  readonly answerers: Set<number>;
  readonly wantsReply: boolean;
  /** The well-known name that was called. */
  readonly name: string | undefined;
  /** Known when the call has arrived. */
  serial: number | undefined;
  /** Whether the daemon expects a reply. */
  isExpected: boolean;
  /** How it settled; `undefined` while it is pending. */
  outcome: string | undefined;
}

/** A reply as it is sent. */
export interface SentReply {
  readonly from: number;
  readonly to: number;
  readonly serial: number;
  readonly outcome: string;
}

export class CallModel {
  readonly calls: ModelledCall[] = [];
  /** The owners of the well-known names that have one. */
  readonly owners = new Map<string, number>();
  readonly #daemon: Daemon;
  readonly #connected = new Set<number>();
  readonly #unexpected = new Map<number, number>();

  constructor(daemon: Daemon) {
    this.#daemon = daemon;
  }

  connect(connection: number): void {
    this.#connected.add(connection);
    this.#unexpected.set(connection, 0);
  }

  /** Replies that came to a connection and settled none of its calls. */
  unexpected(connection: number): number {
    return this.#unexpected.get(connection) as number;
  }

  /** The number of pending calls of a connection. */
  waiting(connection: number): number {
    return this.calls.filter(({ caller, outcome }) => caller === connection && outcome === undefined).length;
  }

  /** @param to a connection, or a well-known name */
  call(caller: number, to: number | string, wantsReply: boolean): ModelledCall {
    const callee = typeof to === 'string' ? this.owners.get(to) : to;
    const call: ModelledCall = {
      caller,
      callee,
      wantsReply,
      answerers: new Set(callee === undefined ? [] : [callee]),
      name: typeof to === 'string' ? to : undefined,
      serial: undefined,
      isExpected: wantsReply && callee !== undefined,
      outcome: wantsReply ? undefined : 'nothing',
    };
    this.calls.push(call);
    return call;
  }

  /** Aborted, expired, or refused: without a reply. The daemon does not know that. */
  settle(call: ModelledCall, outcome: string): void {
    call.outcome ??= outcome;
  }

  /** The bus reports that the name has no owner. dbus-daemon does so even if no reply is wanted. */
  refuse(call: ModelledCall): void {
    if (call.outcome === undefined) call.outcome = 'unknown';
    else if (call.wantsReply || this.#daemon === 'dbus-daemon') this.#come(call.caller);
  }

  reply({ from, to, serial, outcome }: SentReply): void {
    if (!this.#connected.has(to)) {
      // dbus-daemon answers a reply that it cannot deliver, as it answers a call.
      if (this.#daemon === 'dbus-daemon') this.#come(from);
      return;
    }
    const asked = this.calls.find(
      (call) => call.isExpected && call.caller === to && call.callee === from && call.serial === serial,
    );
    if (asked !== undefined) asked.isExpected = false;
    // The session policy of dbus-daemon allows unrequested replies.
    else if (this.#daemon === 'dbus-broker') return;
    const taking = this.calls.find(
      (call) => call.outcome === undefined && call.caller === to && call.serial === serial && call.answerers.has(from),
    );
    if (taking === undefined) this.#come(to);
    else taking.outcome = outcome;
  }

  /** A connection has left: the daemon answers its pending calls. */
  leave(connection: number): void {
    this.#connected.delete(connection);
    for (const [name, owner] of this.owners) if (owner === connection) this.owners.delete(name);
    for (const call of this.calls) {
      if (call.caller === connection) {
        call.isExpected = false;
        this.settle(call, 'closed');
      }
      if (call.callee !== connection || !call.isExpected) continue;
      call.isExpected = false;
      if (call.outcome === undefined) call.outcome = 'left';
      else this.#come(call.caller);
    }
  }

  own(name: string, connection: number): void {
    this.owners.set(name, connection);
    for (const call of this.calls) if (call.name === name && call.outcome === undefined) call.answerers.add(connection);
  }

  release(name: string): void {
    this.owners.delete(name);
  }

  #come(connection: number): void {
    if (this.#unexpected.has(connection)) this.#unexpected.set(connection, this.unexpected(connection) + 1);
  }
}
