/** No codec: what copying the bytes of an `ay` once takes, which no codec can do without. */

/** @type {import('./peer.mjs').Codec} */
export const codec = {
  variant: (_signature, value) => value,
  dictionary: Object.fromEntries,
  encoder(signature, [bytes]) {
    if (signature !== 'ay') return undefined;
    const memory = new Uint8Array(bytes.length);
    return () => memory.set(bytes);
  },
  decoder(signature, body) {
    return signature === 'ay' ? () => Buffer.from(body.subarray(4)) : undefined;
  },
};
