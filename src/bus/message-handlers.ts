/** The program's message handlers, which get every incoming message first and may handle it. */

import { KnownOptions } from '../base/known-options.js';
import { checkBoolean } from '../base/parameters.js';
import { type Message, MessageType } from '../connection/message.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import { reportFailure, reportRejection } from '../diagnostics/problems.js';
import type { FollowedCallers } from './callers/followed-callers.js';
import type { CallsAtWork } from './calls-at-work.js';
import type { BusState } from './link/link.js';
import type { TakenCalls } from './taken-calls.js';

/**
 * Gets every incoming call and signal before busbar dispatches it. If it returns `true`, the message is handled, and
 * busbar does not dispatch it. File descriptors of the message are lent until the handler returns, or until the promise
 * that it returned has settled.
 */
export type MessageHandler = (message: Message) => boolean | undefined | void;

/** Which messages a message handler gets. */
export interface MessageHandlerOptions {
  /**
   * `true`: also METHOD_RETURN and ERROR messages, after the call that they answer has been settled. The return value
   * of the handler is ignored for them. On a connection that has become a monitor these are the replies to all callers.
   */
  readonly replies?: boolean | undefined;
}

export const messageHandlerOptions = new KnownOptions<MessageHandlerOptions>('addMessageHandler()', {
  replies: checkBoolean,
});

/** The connection, or the share of it, that added a handler. */
interface MessageHandlerUser {
  readonly state: BusState;
  /** The calls that it must answer before it closes. */
  readonly atWork: CallsAtWork;
}

interface MessageHandlersOptions {
  /** Whether the program has closed the connection: a handler may have done so. */
  readonly isClosing: () => boolean;
  /** Whether a call with this destination is for this connection, and not only eavesdropped. */
  readonly isForThisConnection: (destination: string | undefined) => boolean;
  /** Records the calls that handlers take. */
  readonly taken: TakenCalls;
  readonly callers: FollowedCallers;
  /** Called when a handler was added or has ended. */
  readonly onChange: () => void;
}

/** One registration. A function may have several. */
interface Registration {
  readonly handler: MessageHandler;
  readonly user: MessageHandlerUser;
  readonly wantsReplies: boolean;
  isOver: boolean;
}

export class MessageHandlers {
  /** Replaced and never mutated, because messages are dispatched while iterating over it. */
  #registrations: readonly Registration[] = [];
  readonly #options: MessageHandlersOptions;

  constructor(options: MessageHandlersOptions) {
    this.#options = options;
  }

  /** Whether there is no handler, so that no message needs to be made. */
  get isEmpty(): boolean {
    return this.#registrations.length === 0;
  }

  /** Whether any handler wants replies. */
  get wantReplies(): boolean {
    return this.#registrations.some(({ wantsReplies }) => wantsReplies);
  }

  add(handler: MessageHandler, { replies = false }: MessageHandlerOptions, user: MessageHandlerUser): Disposable {
    const registration: Registration = { handler, user, wantsReplies: replies, isOver: false };
    this.#registrations = [...this.#registrations, registration];
    this.#options.onChange();
    return {
      [Symbol.dispose]: () => {
        registration.isOver = true;
        this.#registrations = this.#registrations.filter((other) => other !== registration);
        this.#options.onChange();
      },
    };
  }

  /**
   * Calls the handlers in the order in which they were added, until one has handled the message or closed the
   * connection. A call is answered nevertheless.
   */
  handle(received: Inbox): boolean {
    const { taken, callers, isClosing, isForThisConnection } = this.#options;
    const isCall = received.type === MessageType.MethodCall;
    const isToAnswer = isCall && isForThisConnection(received.destination);
    if (isToAnswer) taken.offer(received);
    for (const registration of this.#registrations) {
      // The remaining handlers of a closed share only get the calls that it still answers.
      if (!isCall && registration.user.state !== 'open') continue;
      if (this.#isHandledBy(registration, received, isToAnswer)) {
        if (isToAnswer) taken.take(registration.user.atWork, callers);
        return true;
      }
      if (!isCall && isClosing()) return true;
    }
    return false;
  }

  /** Passes a reply to the handlers that want replies. */
  showReply(received: Inbox): void {
    for (const registration of this.#registrations) {
      if (registration.wantsReplies && registration.user.state === 'open') this.#isHandledBy(registration, received);
      if (this.#options.isClosing()) return;
    }
  }

  #isHandledBy(registration: Registration, received: Inbox, isToAnswer = false): boolean {
    if (registration.isOver) return false;
    const { connectionId: id } = received;
    let result: unknown;
    try {
      result = registration.handler(received.makeMessage(true).keep());
      if (result instanceof Promise) {
        reportRejection('a message handler', result, id);
        // The handler may still answer.
        if (isToAnswer) endWith(result, registration.user.atWork);
      }
      return result === true;
    } catch (error) {
      reportFailure('a message handler', error, id);
      return false;
    } finally {
      received.endTaking(result);
    }
  }
}

/** Counts a call as in progress until the promise that its handler returned has settled. */
function endWith(result: Promise<unknown>, atWork: CallsAtWork): void {
  const end = () => atWork.end();
  atWork.begin();
  result.then(end, end);
}
