/**
 * Prepared heads of replies, one for each caller and signature, because a caller often gets many replies of the same
 * kind. Callers may disconnect unnoticed, so the number is limited: beyond it the oldest caller is forgotten.
 */

import { MessageType } from '../../connection/message.js';
import { PreparedHead } from '../../connection/sending/header.js';

const MAXIMUM = 1024;

export class ReplyHeads {
  readonly #heads = new Map<string | undefined, Map<string, PreparedHead>>();
  #size = 0;
  /** The head that was used last. The next reply is often of the same kind. */
  #last: PreparedHead | undefined;

  /** Returns the head of a METHOD_RETURN. */
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
