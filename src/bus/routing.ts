/**
 * Where the messages of a connection go: to message handlers, to the listeners of match rules, to exported objects. It
 * owns the parts that all shares of the connection use for this, and closes them with the connection.
 */

import type { Connection } from '../connection/connection.js';
import type { IncomingMessage } from '../connection/receiving/incoming-message.js';
import { Callees } from './callees.js';
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

export class Routing {
  readonly connection: Connection;
  /** `undefined` between peers, as are `names` and `callees`. */
  readonly driver: BusDriver | undefined;
  readonly names: OwnedNames | undefined;
  readonly callees: Callees | undefined;
  readonly owners: NameOwners;
  readonly matchRules: MatchRules;
  readonly subscriptions: Subscriptions;
  readonly handlers: MessageHandlers;
  readonly taken: TakenCalls;
  /** The name that the bus gave the connection. */
  uniqueName: string | undefined;
  /** Whether the program has closed the connection. */
  isLeaving = false;

  constructor(connection: Connection, { isPeer, isAddressedHere, handleCall }: Destinations) {
    this.connection = connection;
    const driver = isPeer ? undefined : new BusDriver(connection);
    this.driver = driver;
    this.matchRules = new MatchRules(driver);
    this.owners = new NameOwners(this.matchRules, driver);
    this.names = driver && new OwnedNames(driver);
    this.taken = new TakenCalls(isPeer, connection.limits.callsInProgress);
    const isClosing = () => connection.state === 'closing';
    // On a bus a call without a destination is for the bus. Monitors receive such calls.
    const isForThisConnection = (destination: string | undefined) =>
      isPeer || (destination !== undefined && isAddressedHere(destination));
    const { owners, names, taken, matchRules } = this;
    this.handlers = new MessageHandlers({
      id: connection.id,
      isClosing,
      isForThisConnection,
      taken,
      owners,
      onChange: () => this.#updateReplyHandler(),
    });
    const isUniqueName = (name: string) => name === this.uniqueName;
    const subscriber = { id: connection.id, isPeer, isClosing, isUniqueName, isAddressedHere };
    this.subscriptions = new Subscriptions(subscriber, matchRules, owners);
    this.callees = isPeer ? undefined : new Callees(connection, owners);
    connection.calls.callees = this.callees;
    const { handlers, subscriptions } = this;
    const isLeaving = () => this.isLeaving;
    const receivers = { handlers, names, owners, subscriptions, isLeaving, isForThisConnection, handleCall };
    const incoming = new Incoming(connection, receivers);
    connection.onMessage = (received) => incoming.dispatch(received);
    connection.whenClosed((reason) => {
      names?.close(reason);
      subscriptions.close();
      this.callees?.close();
      owners.close();
      matchRules.close();
    });
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
