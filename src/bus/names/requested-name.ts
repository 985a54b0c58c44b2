/**
 * A well-known name as the bus knows it of this connection. The bus knows one request of a connection for a name, and a
 * connection has several handles of it. The bus gets the combined options of all handles.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.RequestName"
 */
import type { DBusError } from '../../base/errors.js';
import type { NameHandle } from './owned-name.js';

export const RequestNameFlag = { AllowReplacement: 1, ReplaceExisting: 2, DoNotQueue: 4 } as const;

export class RequestedName {
  readonly name: string;
  /** The handles that own the name or are queued for it. */
  readonly handles = new Set<NameHandle>();
  /** Handles whose request the bus has not answered. Their options have been, or will be, sent. */
  readonly asking = new Set<NameHandle>();
  /** Whether the bus has this connection in the queue of the name, as far as the bus has answered. */
  #isInQueue = false;
  /**
   * The flags that were sent last, or `undefined` if the bus may have refused them; and how many requests are not
   * answered.
   */
  #sent: number | undefined;
  #unanswered = 0;

  /** @param handles the handles that had the name at an earlier connection */
  constructor(name: string, handles: Iterable<NameHandle> = []) {
    this.name = name;
    for (const handle of handles) this.handles.add(handle);
  }

  get all(): NameHandle[] {
    return [...this.handles, ...this.asking];
  }

  /** Whether the name has no handle left. */
  get isUnwanted(): boolean {
    return this.handles.size === 0 && this.asking.size === 0;
  }

  /** Whether this connection may be in the queue of the name, now or after the bus has read what was sent. */
  get mayBeInQueue(): boolean {
    return this.#isInQueue || this.#unanswered > 0;
  }

  /**
   * The combined options of the handles: all must allow a replacement for it to be allowed, and one that queues is
   * enough to queue.
   */
  get flags(): number {
    const { all } = this;
    return (
      (all.every(({ allowsReplacement }) => allowsReplacement) ? RequestNameFlag.AllowReplacement : 0) |
      (all.some(({ queues }) => queues) ? 0 : RequestNameFlag.DoNotQueue)
    );
  }

  /** Whether a handle asks for the name to be taken from its owner when it is requested. */
  get replaces(): boolean {
    return [...this.handles].some(({ replaces }) => replaces);
  }

  /** Whether the combined options have changed since they were sent. */
  get isChanged(): boolean {
    return this.flags !== this.#sent;
  }

  /** Removes a handle. Returns whether it was there. */
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

  /** At a new connection, another connection owns the name. Handles that are not queued have lost it. */
  taken(isInQueue: boolean): void {
    for (const handle of [...this.handles]) {
      if (isInQueue && handle.queues) continue;
      this.handles.delete(handle);
      handle.lose('replaced');
    }
  }

  /** The bus of a new connection refuses the name. */
  refused(reason: DBusError): void {
    for (const handle of [...this.handles]) {
      this.handles.delete(handle);
      handle.lose('refused', reason);
    }
  }

  /** Another connection owns the name now. Each handle is queued again, or has lost the name, as it was requested. */
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
