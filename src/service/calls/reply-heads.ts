/**
 * Heads of replies, prepared once for each caller and signature: a busy caller gets many of the same kind. Callers come
 * and go without a word, so there is a bound, beyond which the caller that came first is forgotten.
 */

import { MessageType } from '../../connection/message.js';
import { PreparedHead } from '../../connection/sending/header.js';

const MAXIMUM = 1024;

export class ReplyHeads {
  readonly #heads = new Map<string | undefined, Map<string, PreparedHead>>();
  #size = 0;
  /** The one that was asked for last: the next reply is often another of the same kind. */
  #last: PreparedHead | undefined;

  /** The head of a METHOD_RETURN. */
  get(destination: string | undefined, signature: string): PreparedHead {
    const last = this.#last;
    if (last !== undefined && last.destination === destination && last.signature === signature) return last;
    this.#last = this.#heads.get(destination)?.get(signature) ?? this.#add(destination, signature);
    return this.#last;
  }

  #add(destination: string | undefined, signature: string): PreparedHead {
    if (this.#size >= MAXIMUM) this.#forgetOldest();
    const head = new PreparedHead({ type: MessageType.MethodReturn, destination, signature });
    const bySignature = this.#heads.get(destination) ?? new Map<string, PreparedHead>();
    this.#heads.set(destination, bySignature.set(signature, head));
    this.#size++;
    return head;
  }

  #forgetOldest(): void {
    for (const [oldest, heads] of this.#heads) {
      this.#heads.delete(oldest);
      this.#size -= heads.size;
      return;
    }
  }
}
