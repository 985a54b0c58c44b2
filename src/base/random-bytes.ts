/** Bytes that nobody can guess, by the runtime's own generator: to load `node:crypto` takes longer than to connect. */
export function randomBytes(count: number): Buffer {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(count)).buffer);
}
