/** A Proxy that was revoked throws whatever is asked of it, a bare TypeError: no value is less of one. */
import { types } from 'node:util';

/** Whether a value is a Proxy that was revoked. It takes longer than looking at most values, so it is for what has thrown. */
export function isRevoked(value: unknown): boolean {
  if (!types.isProxy(value)) return false;
  try {
    Array.isArray(value);
    return false;
  } catch {
    return true;
  }
}

/** As `Array.isArray`, which throws for a Proxy that was revoked. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
