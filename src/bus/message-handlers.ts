/** Who sees every incoming message before anything else does, and may deal with it. */
import type { Inbox } from '../connection/inbox.js';
import { type Message, MessageType } from '../connection/message.js';
import { reportFailure, reportRejection } from '../diagnostics.js';

/**
 * Sees every incoming call and signal before busbar handles it. Returning `true` means that the message is dealt
 * with: nothing else happens to it. File descriptors of the message are on loan until the handler is done, or the promise
 * that it returned has settled.
 */
export type MessageHandler = (message: Message) => boolean | undefined | void;

/** What a message handler wants to see. */
export interface MessageHandlerOptions {
  /**
   * `true`: also METHOD_RETURN and ERROR messages, when the call that they answer has been settled. What the handler
   * returns for them means nothing. On a connection that has become a monitor these are the replies to everybody.
   */
  readonly replies?: boolean | undefined;
}

/** One registration: the same function may have several. */
interface Registration {
  readonly handler: MessageHandler;
  readonly wantsReplies: boolean;
  isOver: boolean;
}

export class MessageHandlers {
  /** Replaced and never changed, because messages are handed out along it. */
  #registrations: readonly Registration[] = [];
  readonly #connectionId: number;
  readonly #isClosing: () => boolean;
  readonly #onChange: () => void;

  /**
   * @param isClosing whether the program has closed the connection: a handler may have
   * @param onChange called when a handler was added or has ended
   */
  constructor(connectionId: number, isClosing: () => boolean, onChange: () => void) {
    this.#connectionId = connectionId;
    this.#isClosing = isClosing;
    this.#onChange = onChange;
  }

  /** Whether there is no handler, so that no message need be made. */
  get isEmpty(): boolean {
    return this.#registrations.length === 0;
  }

  /** Whether any handler wants replies. */
  get wantReplies(): boolean {
    return this.#registrations.some(({ wantsReplies }) => wantsReplies);
  }

  add(handler: MessageHandler, { replies = false }: MessageHandlerOptions): Disposable {
    const registration: Registration = { handler, wantsReplies: replies, isOver: false };
    this.#registrations = [...this.#registrations, registration];
    this.#onChange();
    return {
      [Symbol.dispose]: () => {
        registration.isOver = true;
        this.#registrations = this.#registrations.filter((other) => other !== registration);
        this.#onChange();
      },
    };
  }

  /**
   * Asks each in the order of adding, until one has dealt with the message, or closed the connection. A call is answered
   * nevertheless.
   */
  handle(received: Inbox): boolean {
    for (const registration of this.#registrations) {
      if (this.#isHandledBy(registration, received)) return true;
      if (this.#isClosing() && received.type !== MessageType.MethodCall) return true;
    }
    return false;
  }

  /** Shows a reply to those who want replies. */
  showReply(received: Inbox): void {
    for (const registration of this.#registrations) {
      if (registration.wantsReplies) this.#isHandledBy(registration, received);
      if (this.#isClosing()) return;
    }
  }

  #isHandledBy(registration: Registration, received: Inbox): boolean {
    if (registration.isOver) return false;
    let result: unknown;
    try {
      result = registration.handler(received.makeMessage(true).keep());
      if (result instanceof Promise) reportRejection('a message handler', result, this.#connectionId);
      return result === true;
    } catch (error) {
      reportFailure('a message handler', error, this.#connectionId);
      return false;
    } finally {
      received.endTaking(result);
    }
  }
}
