/**
 * Where the messages of a connection go: to message handlers, to the listeners of match rules, to exported objects. It
 * owns the parts that all shares of the connection use for this, and closes them with the connection.
 */

import type { DBusError } from '../base/errors.js';
import type { Connection } from '../connection/connection.js';
import type { IncomingMessage } from '../connection/receiving/incoming-message.js';
import type { WaitOptions } from '../connection/sending/pending-calls.js';
import { Callees } from './callees.js';
import { FollowedCallers } from './callers/followed-callers.js';
import { Incoming } from './incoming.js';
import { MessageHandlers } from './message-handlers.js';
import { BusDriver } from './names/driver.js';
import { NameOwners } from './names/name-owners.js';
import { OwnedNames } from './names/owned-names.js';
import { MatchRules } from './rules/match-rules.js';
import { Subscriptions } from './rules/subscriptions.js';
import { TakenCalls } from './taken-calls.js';

interface Destinations {
  /** Whether the other side is a peer, and not a bus. */
  readonly isPeer: boolean;
  /** Whether a message with this destination is for this connection, and not only eavesdropped. */
  isAddressedHere(destination: string): boolean;
  /** Answers a call that no message handler took. */
  handleCall(message: IncomingMessage): void;
}

type Receivers = ConstructorParameters<typeof Incoming>[1];

export class Routing {
  /** The present connection; the last one while there is none. */
  connection!: Connection;
  /** The bus; `undefined` between peers, as are `names` and `callees`. */
  driver: BusDriver | undefined;
  readonly names: OwnedNames | undefined;
  readonly callees: Callees | undefined;
  readonly owners: NameOwners;
  readonly callers: FollowedCallers;
  readonly matchRules: MatchRules;
  readonly subscriptions: Subscriptions;
  readonly handlers: MessageHandlers;
  readonly taken: TakenCalls;
  /** The number of calls that have arrived over all connections. */
  readonly calls = { received: 0 };
  /** The name that the bus gave the connection. */
  uniqueName: string | undefined;
  /** Whether the program has closed the connection. */
  isLeaving = false;

  readonly #receivers: Receivers;

  constructor(connection: Connection, { isPeer, isAddressedHere, handleCall }: Destinations) {
    this.connection = connection;
    const driver = isPeer ? undefined : new BusDriver(connection);
    this.driver = driver;
    this.matchRules = new MatchRules(driver);
    this.owners = new NameOwners(this.matchRules, driver);
    this.callers = new FollowedCallers(this.owners);
    this.names = driver && new OwnedNames(driver);
    this.taken = new TakenCalls(isPeer, connection.limits.callsInProgress);
    const isClosing = () => this.connection.state === 'closing';
    // On a bus a call without a destination is for the bus. Monitors receive such calls.
    const isForThisConnection = (destination: string | undefined) =>
      isPeer || (destination !== undefined && isAddressedHere(destination));
    const { callers, owners, names, taken, matchRules } = this;
    const onChange = () => this.#updateReplyHandler();
    this.handlers = new MessageHandlers({ isClosing, isForThisConnection, taken, callers, onChange });
    const isUniqueName = (name: string) => name === this.uniqueName;
    const id = () => this.connection.id;
    this.subscriptions = new Subscriptions(
      { id, isPeer, isClosing, isUniqueName, isAddressedHere },
      matchRules,
      owners,
    );
    this.callees = isPeer ? undefined : new Callees(connection, owners);
    const { calls, handlers, subscriptions } = this;
    const isLeaving = () => this.isLeaving;
    this.#receivers = { calls, handlers, names, owners, subscriptions, isLeaving, isForThisConnection, handleCall };
    this.#receiveFrom(connection);
  }

  /** Makes a connection deliver its messages here. */
  #receiveFrom(connection: Connection): void {
    connection.calls.callees = this.callees;
    const incoming = new Incoming(connection, this.#receivers);
    connection.onMessage = (received) => incoming.dispatch(received);
    this.#updateReplyHandler();
  }

  /** Sends Hello to the bus, the first message of a connection. Between peers there is none. */
  async hello(options?: WaitOptions): Promise<void> {
    this.uniqueName = await this.driver?.hello(options);
    this.connection.uniqueName = this.uniqueName;
  }

  /**
   * The connection was lost, and another one will follow. What it had at the bus is kept here: rules, followed names,
   * owned names. Nothing is sent until then.
   */
  lose(): void {
    this.uniqueName = undefined;
    this.matchRules.lose();
    this.callees?.lose();
    this.taken.lose();
    this.owners.lose();
    this.subscriptions.lose();
    this.names?.lose();
  }

  /** Takes the messages of the connection that follows, so that exports are in force before Hello. */
  follow(connection: Connection): void {
    this.connection = connection;
    this.driver = this.driver && new BusDriver(connection);
    this.#receiveFrom(connection);
  }

  /**
   * Declares everything at the bus of the connection that follows: rules, followed names, owned names. All of it is sent
   * before this returns. Resolves when the bus has answered. Never rejects.
   */
  async restore(): Promise<void> {
    const { driver } = this;
    this.callees?.restore(this.connection);
    this.subscriptions.renew(this.uniqueName);
    this.matchRules.restore(driver);
    this.owners.restore(driver);
    const requested = driver && this.names?.restore(driver);
    await Promise.all([this.subscriptions.settled(), requested]);
  }

  /** Ends with the last connection; with the reason, if it was lost. */
  close(reason: DBusError | undefined): void {
    this.names?.close(reason);
    // First, so that the others remove no rules.
    this.matchRules.close(reason);
    this.subscriptions.close();
    this.callees?.close();
    this.owners.close(reason);
  }

  /**
   * Passing replies to handlers costs time for each reply, so the connection does it only while a handler wants
   * replies.
   */
  #updateReplyHandler(): void {
    const { wantReplies } = this.handlers;
    this.connection.onReply = wantReplies ? (received) => this.handlers.showReply(received) : undefined;
  }
}
