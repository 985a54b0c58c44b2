/** A change of a property on its way to the places where the object is exported: one for all of them. */
import { closeHandedOver, descriptorsIn } from '../../codec/close-descriptors.js';
import { type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import { markHandedOver } from '../../values/file-descriptor.js';

/** What is known of the new value, where there is no entry. */
export const State = {
  /** Others only learn that the value they know is not valid. */
  Invalidated: Symbol('invalidated'),
  /** It is read when the change leaves. */
  Unread: Symbol('unread'),
  /** A getter is asked for it and takes its time. */
  Awaited: Symbol('awaited'),
} as const;
type State = (typeof State)[keyof typeof State];

export type Content = EncodedEntry | State;

export class Change {
  readonly name: string;
  #content: Content;
  readonly #read: (() => Content) | undefined;
  /** Connections that it has not left by. */
  #connections = 0;

  /** @param read what is asked for the value if `content` is `Unread` */
  constructor(name: string, content: Content, read?: () => Content) {
    this.name = name;
    this.#content = content;
    this.#read = read;
  }

  /** The entry, or what is known instead. The first place that it leaves from reads it for all. */
  get content(): Content {
    if (this.#content === State.Unread && this.#read !== undefined) this.#content = this.#read();
    return this.#content;
  }

  /** It is to leave by one more connection. */
  take(): void {
    this.#connections++;
  }

  /** It has left by a connection, or something newer leaves. What was handed over is closed behind the last one. */
  done(): void {
    const content = this.#content;
    if (--this.#connections > 0 || typeof content === 'symbol') return;
    if (hasDescriptors(content)) closeHandedOver('h', content);
  }
}

/**
 * Has something send values that several messages carry: none of them becomes the owner of a descriptor that was handed
 * over. Whoever sends the last one closes it.
 */
export function sendShared(values: unknown, send: () => void): void {
  const handedOver = [...descriptorsIn(values)].filter((descriptor) => descriptor.handedOver);
  for (const descriptor of handedOver) markHandedOver(descriptor, false);
  try {
    send();
  } finally {
    for (const descriptor of handedOver) markHandedOver(descriptor, true);
  }
}
