/**
 * The call that the running code belongs to.
 *
 * @module busbar/current-call
 * @group Reference
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallContext } from './service/calls/call-context.js';
import { callStorage } from './service/calls/call-storage.js';

callStorage.storage ??= new AsyncLocalStorage();
const { storage } = callStorage;

/**
 * Returns the context of the call that the running code handles: in a method, a getter or a setter that a call runs, in
 * the functions that it calls, and after each `await`. Returns `undefined` elsewhere: in a listener, in a cleanup of
 * {@link Caller.track}, in a getter whose value busbar announces.
 *
 * Calls are kept for this function only in programs that import its module, `busbar/current-call`, because that costs
 * time. A program imports it before it gets calls.
 *
 * @example
 * ```ts
 * export function log(text: string): void {
 *   const call = currentCall();
 *   console.log(call === undefined ? text : `${call.sender} ${call.member}: ${text}`);
 * }
 * ```
 */
export function currentCall(): CallContext | undefined {
  return storage?.getStore();
}
