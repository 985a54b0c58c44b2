/** Somewhere to export an object to that writes down what it is told; and the context of a call from nowhere. */
import type { CallContext } from '../../src/service/call-context.js';
import { invalidated, type Outlet } from '../../src/service/exportable.js';

/** What an outlet was told: a signal's values, or the changes of properties. */
export type Recorded =
  | { readonly signal: string; readonly values: readonly unknown[] }
  | { readonly changed: Record<string, unknown>; readonly invalidated: readonly string[] };

export class RecordingOutlet implements Outlet {
  readonly recorded: Recorded[] = [];

  emitSignal(signal: string, values: readonly unknown[]): void {
    this.recorded.push({ signal, values });
  }

  propertiesChanged(changes: ReadonlyMap<string, unknown>): void {
    const known = [...changes].filter(([, value]) => value !== invalidated);
    const names = [...changes].filter(([, value]) => value === invalidated).map(([name]) => name);
    this.recorded.push({ changed: Object.fromEntries(known), invalidated: names });
  }

  /** What was recorded since the last time, once everything that happens in this tick has. */
  async settled(): Promise<readonly Recorded[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.recorded.splice(0);
  }
}

export function callContext(sender?: string): CallContext {
  return {
    sender,
    path: '/',
    interface: undefined,
    member: 'Member',
    flags: 0,
    signal: new AbortController().signal,
    decode: () => {
      throw new Error('there is no message');
    },
    credentials: () => Promise.reject(new Error('there is no bus')),
  };
}
