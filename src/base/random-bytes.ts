/** Unpredictable bytes from the runtime's own generator. Loading `node:crypto` would take longer than connecting. */
export function randomBytes(count: number): Buffer {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(count)).buffer);
}
