/**
 * A well-known name as the bus has it of this connection: the bus knows one request of a connection for a name, and a
 * connection has several handles of it. The bus is told what all of them want together.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.RequestName"
 */
import type { NameHandle } from './owned-name.js';

export const RequestNameFlag = { AllowReplacement: 1, ReplaceExisting: 2, DoNotQueue: 4 } as const;

export class RequestedName {
  readonly name: string;
  /** The handles that own the name or wait for it. */
  readonly handles = new Set<NameHandle>();
  /** Those whose request the bus has not answered. It has, or will have, what they want. */
  readonly asking = new Set<NameHandle>();
  /** Whether the bus has this connection in the queue of the name, as far as it has told. */
  #isInQueue = false;
  /** What was sent last, or `undefined` if the bus may have refused it; and how much of what was sent is not answered. */
  #sent: number | undefined;
  #unanswered = 0;

  constructor(name: string) {
    this.name = name;
  }

  get all(): NameHandle[] {
    return [...this.handles, ...this.asking];
  }

  /** Whether nothing wants the name any more. */
  get isUnwanted(): boolean {
    return this.handles.size === 0 && this.asking.size === 0;
  }

  /** Whether the bus may have this connection in the queue of the name, or will have when it has read what was sent. */
  get mayBeInQueue(): boolean {
    return this.#isInQueue || this.#unanswered > 0;
  }

  /** What the handles want together: all of them must allow a replacement, and one that waits is enough to wait. */
  get flags(): number {
    const { all } = this;
    return (
      (all.every(({ allowsReplacement }) => allowsReplacement) ? RequestNameFlag.AllowReplacement : 0) |
      (all.some(({ queues }) => queues) ? 0 : RequestNameFlag.DoNotQueue)
    );
  }

  /** Whether the bus has to be told what the handles want. */
  get isChanged(): boolean {
    return this.flags !== this.#sent;
  }

  /** Forgets a handle, and whether there was anything to forget. */
  drop(handle: NameHandle): boolean {
    return this.handles.delete(handle) || this.asking.delete(handle);
  }

  sending(flags: number): void {
    this.#sent = flags;
    this.#unanswered++;
  }

  answered(isInQueue: boolean): void {
    this.#unanswered--;
    this.#isInQueue = isInQueue;
  }

  failed(): void {
    this.#unanswered--;
    this.#sent = undefined;
  }

  acquired(): void {
    this.#isInQueue = true;
    for (const handle of this.handles) handle.acquire();
  }

  /** Another connection owns the name: each handle waits, or has lost it, as it was requested. */
  replaced(): void {
    this.#isInQueue = this.#sent === undefined || (this.#sent & RequestNameFlag.DoNotQueue) === 0;
    for (const handle of this.handles) {
      if (handle.queues) {
        handle.wait();
      } else {
        this.handles.delete(handle);
        handle.lose('replaced');
      }
    }
  }
}
