/** The life of a caller: the time until it leaves the bus, or its connection to this process ends. */
import { CallerLeftError, type ConnectionClosedError, closedError, type DBusError } from '../../base/errors.js';
import { SmallSet } from '../../base/small-set.js';

/** How the life of a caller ended: it left the bus, or the connection was closed, or lost for a reason. */
export type CallerEnd = 'left' | { readonly loss: DBusError | undefined };

/** Something that waits for the end of a caller. */
export interface CallerListener {
  callerEnded(end: CallerEnd, reason: CallerLeftError | ConnectionClosedError): void;
}

export class CallerLife {
  /** The unique name; `undefined` between peers. */
  readonly name: string | undefined;
  readonly #listeners = new SmallSet<CallerListener>();
  readonly #onUnused: () => void;
  #controller: AbortController | undefined;
  #end: CallerEnd | undefined;
  #reason: CallerLeftError | ConnectionClosedError | undefined;

  /** @param onUnused called when nothing waits for the end any more */
  constructor(name: string | undefined, onUnused: () => void) {
    this.name = name;
    this.#onUnused = onUnused;
  }

  /** Why it has ended, if it has. */
  get reason(): CallerLeftError | ConnectionClosedError | undefined {
    return this.#end && this.#reasonOf(this.#end);
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Aborts at the end. From the first use on, the caller is followed until its end: what listens to a signal cannot be
   * counted.
   */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#end !== undefined) this.#controller.abort(this.#reasonOf(this.#end));
    }
    return this.#controller.signal;
  }

  /** Makes a listener wait for the end. If that has come already, it is called soon. */
  add(listener: CallerListener): void {
    this.#listeners.add(listener);
    if (this.#end !== undefined) queueMicrotask(() => this.#tell(listener));
  }

  /** Makes a listener wait no longer. */
  remove(listener: CallerListener): void {
    if (!this.#listeners.delete(listener) || this.#end !== undefined) return;
    if (this.#listeners.size === 0 && this.#controller === undefined) this.#onUnused();
  }

  /** The caller has left, or the connection has ended. */
  end(end: CallerEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#controller?.abort(this.#reasonOf(end));
    for (const listener of [...this.#listeners]) this.#tell(listener);
  }

  #tell(listener: CallerListener): void {
    const end = this.#end as CallerEnd;
    if (this.#listeners.delete(listener)) listener.callerEnded(end, this.#reasonOf(end));
  }

  /** One error for all that wait. */
  #reasonOf(end: CallerEnd): CallerLeftError | ConnectionClosedError {
    const { name = 'the peer' } = this;
    this.#reason ??=
      end === 'left'
        ? new CallerLeftError(`${name} left the bus`)
        : closedError(`the connection to ${name} was closed`, end.loss);
    return this.#reason;
  }
}
