/** The tasks for codecs: bodies in the shapes that programs really send. */

const NOTIFY = 'susssasa{sv}i';

/** @type {(codec: import('./peers/peer.mjs').Codec) => unknown[]} */
const notifyBody = ({ variant, dictionary }) => [
  'An application',
  0,
  'dialog-information',
  'A summary',
  'A body of one line, with an ümlaut',
  ['default', 'Open', 'dismiss', 'Dismiss'],
  dictionary([
    ['urgency', variant('y', 1)],
    ['category', variant('s', 'im.received')],
    ['sender-pid', variant('x', 12345n)],
  ]),
  5000,
];

/** @type {import('./peers/peer.mjs').CallHead} */
const notifyHead = {
  destination: 'org.freedesktop.Notifications',
  path: '/org/freedesktop/Notifications',
  interface: 'org.freedesktop.Notifications',
  member: 'Notify',
  signature: NOTIFY,
};

const variantsBody = ({ variant, dictionary }) => [
  dictionary(
    Array.from({ length: 500 }, (_, i) => [
      `Property${i}`,
      [variant('s', `the value ${i}`), variant('u', i), variant('b', i % 8 === 2), variant('d', i / 4)][i % 4],
    ]),
  ),
];

const strings = Array.from({ length: 1000 }, (_, i) => `a string of the array, ${i}`);
const integers = Array.from({ length: 10_000 }, (_, i) => i * 1000 - 5_000_000);
const path = `/${'element_1/'.repeat(10_000)}end`;
const bytes = Buffer.alloc(2 ** 20, 0x5a);

const encode = (signature, body) => (codec) => codec.encoder?.(signature, body(codec));
const decode = (signature, body) => (codec, reference) =>
  codec.decoder?.(signature, Buffer.from(reference.encoder(signature, body(reference))()));

/** Each task makes a function that does it once, from a codec that can; the reference writes the bytes to decode. */
export const tasks = [
  { id: 'decode-variants', title: 'a{sv} of 500 entries, decode', prepare: decode('a{sv}', variantsBody) },
  { id: 'encode-variants', title: 'a{sv} of 500 entries, encode', prepare: encode('a{sv}', variantsBody) },
  { id: 'decode-notify', title: 'the body of Notify, decode', prepare: decode(NOTIFY, notifyBody) },
  { id: 'encode-notify', title: 'the body of Notify, encode', prepare: encode(NOTIFY, notifyBody) },
  {
    id: 'encode-notify-message',
    title: 'the call of Notify, header included, encode',
    prepare: (codec) => codec.callEncoder?.(notifyHead, notifyBody(codec)),
  },
  { id: 'encode-strings', title: 'as of 1000, encode', prepare: encode('as', () => [strings]) },
  { id: 'decode-strings', title: 'as of 1000, decode', prepare: decode('as', () => [strings]) },
  { id: 'encode-integers', title: 'ai of 10 000, encode', prepare: encode('ai', () => [integers]) },
  { id: 'decode-integers', title: 'ai of 10 000, decode', prepare: decode('ai', () => [integers]) },
  { id: 'encode-path', title: 'o of 100 kB, encode', prepare: encode('o', () => [path]) },
  { id: 'encode-bytes', title: 'ay of 1 MiB, encode', prepare: encode('ay', () => [bytes]) },
  { id: 'decode-bytes', title: 'ay of 1 MiB, decode', prepare: decode('ay', () => [bytes]) },
];
