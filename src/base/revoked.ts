/**
 * Checks for revoked Proxy objects. Every operation on a revoked Proxy throws a bare TypeError, so no value is harder
 * to handle.
 */
import { types } from 'node:util';

/**
 * Whether a value is a revoked Proxy. The check takes longer than reading most values, so it is for values that have
 * thrown.
 */
export function isRevoked(value: unknown): boolean {
  if (!types.isProxy(value)) return false;
  try {
    Array.isArray(value);
    return false;
  } catch {
    return true;
  }
}

/** Like `Array.isArray`, but returns false for a revoked Proxy instead of throwing. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
