/** Who sees every incoming call and signal before anything else does, and may deal with it. */
import type { Inbox } from '../connection/inbox.js';
import type { Message } from '../connection/message.js';
import { reportFailure, reportRejection } from '../diagnostics.js';

/**
 * Sees every incoming call and signal before busbar handles it. Returning `true` means that the message is dealt
 * with: nothing else happens to it. File descriptors of the message are on loan until the handler is done, or the promise
 * that it returned has settled.
 */
export type MessageHandler = (message: Message) => boolean | undefined | void;

export class MessageHandlers {
  readonly #handlers = new Set<MessageHandler>();
  readonly #connectionId: number;
  readonly #isClosing: () => boolean;

  /** @param isClosing whether the program has closed the connection: a handler may have */
  constructor(connectionId: number, isClosing: () => boolean) {
    this.#connectionId = connectionId;
    this.#isClosing = isClosing;
  }

  /** Whether there is nobody to ask, so that no message need be made. */
  get isEmpty(): boolean {
    return this.#handlers.size === 0;
  }

  add(handler: MessageHandler): Disposable {
    this.#handlers.add(handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(handler) };
  }

  /** Asks each in the order of adding, until one has dealt with the message, or closed the connection. */
  handle(received: Inbox): boolean {
    for (const handler of this.#handlers) {
      if (this.#isHandledBy(handler, received) || this.#isClosing()) return true;
    }
    return false;
  }

  #isHandledBy(handler: MessageHandler, received: Inbox): boolean {
    let result: unknown;
    try {
      result = handler(received.makeMessage().keep());
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
