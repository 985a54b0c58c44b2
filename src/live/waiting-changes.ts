/**
 * Changes of properties of objects that are not known yet. A service may send the change of a new object before it
 * announces the object. It also may never announce it, so only the latest changes are kept.
 */
import type { PropertyValues, Sent } from './property-values.js';

/** For how many interfaces of unknown objects changes are kept. */
const KEPT_MAXIMUM = 1024;

interface Waiting {
  readonly sent: Sent;
  readonly invalidated: Set<string>;
}

export class WaitingChanges {
  /** By path and interface, the latest last. */
  readonly #waiting = new Map<string, Waiting>();

  add(path: string, name: string, sent: Sent, invalidated: readonly string[]): void {
    const key = keyOf(path, name);
    const before = this.#waiting.get(key);
    if (before === undefined) {
      this.#waiting.set(key, { sent, invalidated: new Set(invalidated) });
      if (this.#waiting.size > KEPT_MAXIMUM) this.#waiting.delete(this.#waiting.keys().next().value as string);
      return;
    }
    this.#waiting.delete(key);
    for (const invalid of invalidated) {
      delete before.sent[invalid];
      before.invalidated.add(invalid);
    }
    for (const changed of Object.keys(sent)) before.invalidated.delete(changed);
    this.#waiting.set(key, { sent: { ...before.sent, ...sent }, invalidated: before.invalidated });
  }

  /** The object is known now: its changes are compared with its values. */
  meet(path: string, name: string, values: PropertyValues): void {
    if (this.#waiting.size === 0) return;
    const key = keyOf(path, name);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    values.compare(waiting.sent, [...waiting.invalidated]);
  }

  clear(): void {
    this.#waiting.clear();
  }
}

/** No path or interface contains a space. */
function keyOf(path: string, name: string): string {
  return `${path} ${name}`;
}
