/**
 * The dispatch of incoming messages other than replies. First busbar takes note of the bus's signals about names, on
 * which its own tables depend. Then the program's message handlers run, which may handle a message alone. Then exported
 * objects and listeners get it.
 */
import type { Connection } from '../connection/connection.js';
import { MessageFlag, MessageType } from '../connection/message.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import type { IncomingMessage } from '../connection/receiving/incoming-message.js';
import { report } from '../diagnostics/problems.js';
import type { MessageHandlers } from './message-handlers.js';
import { BUS_NAME } from './names/driver.js';
import type { NameOwners } from './names/name-owners.js';
import type { OwnedNames } from './names/owned-names.js';
import type { Subscriptions } from './rules/subscriptions.js';

/** The receivers of messages. */
interface Receivers {
  readonly handlers: MessageHandlers;
  readonly names: OwnedNames | undefined;
  readonly owners: NameOwners;
  readonly subscriptions: Subscriptions;
  /** The number of calls that have arrived. */
  readonly calls: { received: number };
  /** Whether the program has closed the connection. Calls are answered until it ends; signals are not delivered. */
  isLeaving(): boolean;
  /** Whether a call with this destination is for this connection, and not only eavesdropped. */
  isForThisConnection(destination: string | undefined): boolean;
  handleCall(message: IncomingMessage): void;
}

export class Incoming {
  readonly #connection: Connection;
  readonly #receivers: Receivers;
  readonly #handlers: MessageHandlers;
  readonly #subscriptions: Subscriptions;
  readonly #calls: { received: number };

  constructor(connection: Connection, receivers: Receivers) {
    this.#connection = connection;
    this.#receivers = receivers;
    this.#handlers = receivers.handlers;
    this.#subscriptions = receivers.subscriptions;
    this.#calls = receivers.calls;
  }

  dispatch(received: Inbox): void {
    if (received.isBroken) {
      this.#refuseBroken(received);
      return;
    }
    const isCall = received.type === MessageType.MethodCall;
    if (isCall) this.#calls.received++;
    else if (received.sender === BUS_NAME) {
      const { state } = this.#connection;
      this.#observeBus(received);
      if (this.#connection.state !== state) return;
    }
    if (!isCall && this.#receivers.isLeaving()) return;
    if (!this.#handlers.isEmpty && this.#handlers.handle(received)) return;
    if (isCall) {
      received.expectLastTaker();
      this.#receivers.handleCall(received.messageToAnswer());
      return;
    }
    this.#subscriptions.dispatch(received);
  }

  #observeBus(received: Inbox): void {
    if (received.isFaulty) {
      report('message', 'a signal of the bus was dropped', received.fault, this.#connection.id);
      return;
    }
    this.#receivers.names?.observe(received);
    this.#receivers.owners.observe(received);
  }

  /** Answers a call with a broken header, so that its caller does not wait in vain. The header is not acted on. */
  #refuseBroken(received: Inbox): void {
    const { type, flags, destination, sender, serial, fault } = received;
    const { id } = this.#connection;
    report('message', `a message${sender === undefined ? '' : ` from ${sender}`} was dropped`, fault, id);
    if (type !== MessageType.MethodCall || (flags & MessageFlag.NoReplyExpected) !== 0 || fault === undefined) return;
    if (!this.#receivers.isForThisConnection(destination)) return;
    const head = { type: MessageType.Error, errorName: fault.dbusName, destination: sender, signature: 's' };
    try {
      this.#connection.sender.send(head, [fault.message], serial);
    } catch (error) {
      report('send', `the call ${serial} of ${sender ?? 'the peer'} gets no reply`, error, id);
    }
  }
}
