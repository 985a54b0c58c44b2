import { isRevoked } from '../base/revoked.js';

/** Whether `await` would wait for a value. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch (error) {
    // A revoked proxy is reported where the value is encoded, with its path.
    if (isRevoked(value)) return false;
    throw error;
  }
}
