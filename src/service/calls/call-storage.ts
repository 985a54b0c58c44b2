/**
 * Where the call is kept that a handler answers, so that `currentCall` finds it after any `await`. Keeping it costs time
 * for every promise of the program in some versions of Node.js, so there is a storage only if the program imports
 * `busbar/current-call`. All copies of this package in a process share it.
 */
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { CallContext } from './call-context.js';

interface CallStorage {
  storage: AsyncLocalStorage<CallContext | undefined> | undefined;
}

const KEY: unique symbol = Symbol.for('busbar.currentCall');
const shared = globalThis as { [KEY]?: CallStorage };
if (shared[KEY] === undefined) Object.defineProperty(shared, KEY, { value: { storage: undefined } });

export const callStorage = shared[KEY] as CallStorage;

/** Whether the program may ask for the call of the running code. */
export function areCallsKept(): boolean {
  return callStorage.storage !== undefined;
}

/** Runs code that belongs to a call, wherever it is begun. */
export function insideCall<Result>(call: CallContext, run: () => Result): Result {
  const { storage } = callStorage;
  return storage === undefined ? run() : storage.run(call, run);
}

/** Runs code that belongs to no call, although a handler may have caused it: a getter whose value is announced. */
export function outsideCalls<Result>(run: () => Result): Result {
  const { storage } = callStorage;
  return storage === undefined ? run() : storage.run(undefined, run);
}
