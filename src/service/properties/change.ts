/** A change of a property until it has been sent from every place with the object. All places share it. */
import { closeHandedOver, descriptorsHeldIn } from '../../codec/close-descriptors.js';
import { type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import { markHandedOver } from '../../values/file-descriptor.js';

/** The state of the new value, if there is no entry. */
export const State = {
  /** Clients only learn that the value they have is no longer valid. */
  Invalidated: Symbol('invalidated'),
  /** The value is read when the change is sent. */
  Unread: Symbol('unread'),
  /** A getter was asked for the value, and takes time. */
  Awaited: Symbol('awaited'),
} as const;
type State = (typeof State)[keyof typeof State];

export type Content = EncodedEntry | State;

export class Change {
  readonly name: string;
  #content: Content;
  readonly #read: (() => Content) | undefined;
  /** The number of connections that have not sent it yet. */
  #connections = 0;

  /** @param read reads the value if `content` is `Unread` */
  constructor(name: string, content: Content, read?: () => Content) {
    this.name = name;
    this.#content = content;
    this.#read = read;
  }

  /** The entry, or the state of the value. The first place that sends the change reads the value for all places. */
  get content(): Content {
    if (this.#content === State.Unread && this.#read !== undefined) this.#content = this.#read();
    return this.#content;
  }

  /** Counts one more connection that will send it. */
  take(): void {
    this.#connections++;
  }

  /**
   * A connection has sent it, or a newer change replaces it. After the last one, descriptors that were handed over are
   * closed.
   */
  done(): void {
    const content = this.#content;
    if (--this.#connections > 0 || typeof content === 'symbol') return;
    if (hasDescriptors(content)) closeHandedOver('h', content);
  }
}

/**
 * Calls `send` for values that several messages carry: none of them becomes the owner of a descriptor that was handed
 * over. The sender of the last message closes it.
 */
export function sendShared(values: unknown, send: () => void): void {
  const handedOver = [...descriptorsHeldIn(values)].filter((descriptor) => descriptor.handedOver);
  for (const descriptor of handedOver) markHandedOver(descriptor, false);
  try {
    send();
  } finally {
    for (const descriptor of handedOver) markHandedOver(descriptor, true);
  }
}
