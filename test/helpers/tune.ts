/** A sound file that has a title and an artist, for media players. */

/** Samples in a second, each of one byte. */
const RATE = 8000;

/** Ten seconds of silence in the format WAV. */
export function tune(title: string, artist: string): Buffer {
  const format = Buffer.alloc(16);
  // PCM, one channel, the rate, the bytes in a second and in a sample, the bits in a sample.
  format.writeUInt16LE(1, 0);
  format.writeUInt16LE(1, 2);
  format.writeUInt32LE(RATE, 4);
  format.writeUInt32LE(RATE, 8);
  format.writeUInt16LE(1, 12);
  format.writeUInt16LE(8, 14);
  const info = [
    Buffer.from('INFO'),
    chunk('INAM', Buffer.from(`${title}\0`)),
    chunk('IART', Buffer.from(`${artist}\0`)),
  ];
  const data = Buffer.alloc(10 * RATE, 128);
  const content = [chunk('fmt ', format), chunk('LIST', Buffer.concat(info)), chunk('data', data)];
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...content]));
}

function chunk(name: string, content: Buffer): Buffer {
  const head = Buffer.from(`${name}....`);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}
