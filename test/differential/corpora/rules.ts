/**
 * A message for each rule on which readers can differ, kept or broken in one place, in both byte orders. Every deliberate
 * difference occurs here, so that its entry in the list cannot outlive it.
 *
 * @see D-Bus specification, sections "Message Format" and "Marshaling (Wire Format)"
 */
import { type Bytes, bytesOf, type WireMessage, wireMessage, writeField } from '../../helpers/wire.js';
import type { Corpus, CorpusMessage } from '../corpus.js';

type Rule = readonly [name: string, message: Partial<WireMessage>, write?: (bytes: Bytes) => unknown];

const SIGNAL = { type: 4, serial: 9, path: '/a', interface: 'a.b', member: 'C', sender: ':1.2' } as const;
const CALL = { ...SIGNAL, type: 1 } as const;
const REPLY = { type: 2, serial: 9, replySerial: 1, sender: ':1.2' } as const;
const ERROR = { ...REPLY, type: 3, errorName: 'a.b.E' } as const;

/** A header with a further field: its code and signature, and the value that `write` adds. */
const field = (code: number, signature: string, write: (bytes: Bytes) => unknown): Partial<WireMessage> => ({
  moreFields: (bytes) => write(bytes.align(8).u8(code).signature(signature)),
});

/** `levels` nested variants, around a byte. */
function nest(bytes: Bytes, levels: number): Bytes {
  for (let i = 1; i < levels; i++) bytes.signature('v');
  return bytes.signature('y').u8(1);
}

const NONCHARACTER = '\uffff';
const kept: readonly Rule[] = [
  ['a signal', {}],
  ['a call', CALL],
  ['a call without an interface', { ...CALL, interface: undefined }],
  ['a reply', REPLY],
  ['a reply with a value', { ...REPLY, signature: 's' }, (b) => b.text('x')],
  ['an error', ERROR],
  ['an error with a text', { ...ERROR, signature: 's' }, (b) => b.text('why')],
  ['an error that does not begin with a text', { ...ERROR, signature: 'ub' }, (b) => b.u32(7).u32(1)],
  ['an unknown message type', { type: 5 }],
  ['the greatest message type', { type: 255 }],
  ['flags of a signal', { flags: 7 }],
  ['flags of a call', { ...CALL, flags: 6 }],
  ['unknown flags', { ...CALL, flags: 0xf8 }],
  ['the greatest serial', { serial: 0xffff_ffff }],
  ['an unknown header field', field(77, 'as', (b) => b.array(4, (a) => a.text('x')))],
  ['a header field that only libdbus knows', field(10, 's', (b) => b.text('x'))],
  ['REPLY_SERIAL in a signal', { replySerial: 5 }],
  ['REPLY_SERIAL in a call', { ...CALL, replySerial: 5 }],
  ['ERROR_NAME in a signal', { errorName: 'a.b.E' }],
  ['MEMBER in a reply', { ...REPLY, member: 'C' }],
  ['a destination', { destination: 'a.b-c.d' }],
  ['a string beyond ASCII', { signature: 's' }, (b) => b.text('größe')],
  ['a noncharacter', { signature: 's' }, (b) => b.text(NONCHARACTER)],
  ['a noncharacter in an error', { ...ERROR, signature: 's' }, (b) => b.text(NONCHARACTER)],
  ['a noncharacter in a reply', { ...REPLY, signature: 's' }, (b) => b.text(NONCHARACTER)],
  ['a signature of 255 bytes', { signature: 'y'.repeat(255) }, (b) => b.raw(Buffer.alloc(255))],
  ['a signature of 254 bytes', { signature: 'y'.repeat(254) }, (b) => b.raw(Buffer.alloc(254))],
  ['a signature of 255 bytes as a value', { signature: 'g' }, (b) => b.signature('y'.repeat(255))],
  [
    'a signature of 255 bytes of a variant',
    { signature: 'v' },
    (b) => {
      b.signature(`(${'y'.repeat(253)})`)
        .align(8)
        .raw(Buffer.alloc(253));
    },
  ],
  ['a path of 70 000 bytes', { path: `/${'a'.repeat(70_000)}` }],
  ['an empty array of structs', { signature: 'a(t)y' }, (b) => b.array(8, () => {}).u8(1)],
  [
    'equal keys in a dictionary',
    { signature: 'a{yy}' },
    (b) => {
      b.array(8, (a) => a.u8(1).u8(2).align(8).u8(1).u8(3));
    },
  ],
  ['64 variants in each other', { signature: 'v' }, (b) => nest(b, 64)],
  [
    '32 arrays and 32 structs in each other',
    { signature: `${'a'.repeat(32)}${'('.repeat(32)}y${')'.repeat(32)}` },
    (b) => {
      b.u32(0);
    },
  ],
  ['a NaN with a payload', { signature: 'd' }, (b) => b.u64(0x7ff8_0000_0000_0001n)],
  ['-0', { signature: 'da{db}' }, (b) => b.u64(1n << 63n).array(8, (a) => a.u64(1n << 63n).u32(1))],
  ['an empty string', { signature: 'sg' }, (b) => b.text('').signature('')],
  [
    'an empty signature as the last of an array',
    { signature: 'a(g)' },
    (b) =>
      b.array(8, (a) => {
        for (const text of ['o', 'q', 'avq((i)svab)', '']) a.align(8).signature(text);
      }),
  ],
  [
    'an empty array as the last of an array, with a value behind it',
    { signature: 'a(ab)y' },
    (b) => b.array(8, (a) => a.u32(4).u32(1).u32(0)).u8(7),
  ],
  ['a string of 100 000 bytes', { signature: 'sy' }, (b) => b.text('ä'.repeat(50_000)).u8(1)],
  ['100 000 bytes', { signature: 'ay' }, (b) => b.array(1, (a) => a.raw(Buffer.alloc(100_000, 7)))],
  [
    '20 000 numbers',
    { signature: 'adat' },
    (b) => {
      for (const sign of [1, -1]) {
        b.array(8, (a) => {
          for (let i = 0; i < 10_000; i++) a.align(8).f64((sign * i) / 3);
        });
      }
    },
  ],
  [
    'a dictionary of 3000 entries',
    { signature: 'a{sv}' },
    (b) =>
      b.array(8, (a) => {
        for (let i = 0; i < 3000; i++) a.align(8).text(`key ${i}`).signature('u').u32(i);
      }),
  ],
  ['an object path', { signature: 'oo' }, (b) => b.text('/').text('/a_1/B')],
];

const broken: readonly Rule[] = [
  ['message type 0', { type: 0 }],
  ['version 2', { version: 2 }],
  ['serial 0', { serial: 0 }],
  ['a message beyond 128 MiB', { claimedBodyLength: 2 ** 27 }],
  ['header fields beyond 64 MiB', { claimedFieldsLength: 2 ** 26 + 8, claimedBodyLength: 2 ** 26 }],
  ['header fields beyond 64 MiB in a message that is not', { claimedFieldsLength: 2 ** 26 + 8 }],
  ['padding behind the header', { ...CALL, path: '/abc', headerPadding: 1 }],
  ['padding between header fields', field(6, 's', (b) => b.text('a.bc').align(8, 1))],
  ['a header field with the code 0', field(0, 's', (b) => b.text('x'))],
  ['a header field of the wrong type', field(6, 'o', (b) => b.text('/x'))],
  ['a header field twice', { moreFields: (b) => writeField(b, 3, 's', 'Again') }],
  ['an unknown header field with an invalid value', field(77, 'b', (b) => b.u32(2))],
  ['an unknown header field with invalid text', field(77, 's', (b) => b.text(Buffer.of(0xff)))],
  ['an unknown header field of no value', field(77, '', () => {})],
  ['an unknown header field of two values', field(77, 'yy', (b) => b.u8(1).u8(1))],
  ['REPLY_SERIAL 0', { ...REPLY, replySerial: 0 }],
  ['a call without a path', { ...CALL, path: undefined }],
  ['a call without a member', { ...CALL, member: undefined }],
  ['a signal without an interface', { interface: undefined }],
  ['a reply without REPLY_SERIAL', { ...REPLY, replySerial: undefined }],
  ['an error without a name', { ...ERROR, errorName: undefined }],
  ['an invalid path', { path: '/a/' }],
  ['an invalid interface', { interface: 'a' }],
  ['an interface with a line feed at its end', { interface: 'a.b\n' }],
  ['an invalid member', { member: 'a-b' }],
  ['a member that begins with a digit', { member: '1a' }],
  ['an invalid error name', { ...ERROR, errorName: 'a' }],
  ['an invalid destination', { destination: 'a' }],
  ['an invalid sender', { sender: 'a..b' }],
  ['a unique name of one element', { sender: ':0' }],
  ['the path for local messages', { path: '/org/freedesktop/DBus/Local' }],
  ['the interface for local messages', { interface: 'org.freedesktop.DBus.Local' }],
  ['an invalid signature', { signature: 'a' }],
  ['a dict entry outside an array', { signature: '{yy}' }, (b) => b.u8(1).u8(1)],
  ['a body without a signature', {}, (b) => b.u8(1)],
  ['descriptors that did not come', { unixFds: 1, signature: 'h' }, (b) => b.u32(0)],
  ['a descriptor that there is not', { signature: 'h' }, (b) => b.u32(0)],
  ['a boolean of 2', { signature: 'b' }, (b) => b.u32(2)],
  ['a boolean of 2 in a reply', { ...REPLY, signature: 'b' }, (b) => b.u32(2)],
  ['a boolean of 2 in a call', { ...CALL, signature: 'b' }, (b) => b.u32(2)],
  ['a body that goes on', { signature: 'y' }, (b) => b.u8(1).u8(1)],
  ['a body that is not complete', { signature: 'u' }, (b) => b.u8(1)],
  ['padding in a body', { signature: 'yu' }, (b) => b.u8(1).align(4, 1).u32(1)],
  ['padding behind the last value', { signature: 'y' }, (b) => b.u8(1).align(8)],
  ['a string without its NUL', { signature: 's' }, (b) => b.u32(1).raw('xx')],
  ['a NUL in a string', { signature: 's' }, (b) => b.text('a\0b')],
  ['overlong UTF-8', { signature: 's' }, (b) => b.text(Buffer.of(0xc0, 0x80))],
  ['a surrogate in UTF-8', { signature: 's' }, (b) => b.text(Buffer.of(0xed, 0xa0, 0x80))],
  ['a code point beyond Unicode', { signature: 's' }, (b) => b.text(Buffer.of(0xf4, 0x90, 0x80, 0x80))],
  ['an invalid object path as a value', { signature: 'o' }, (b) => b.text('a')],
  ['an invalid signature as a value', { signature: 'g' }, (b) => b.signature('a')],
  ['a dict entry as the value of a signature', { signature: 'g' }, (b) => b.signature('{sv}')],
  ['a variant of no type', { signature: 'v' }, (b) => b.signature('')],
  ['a variant of two types', { signature: 'v' }, (b) => b.signature('yy').u8(1).u8(1)],
  ['65 variants in each other', { signature: 'v' }, (b) => nest(b, 65)],
  ['an array beyond 64 MiB', { signature: 'ay' }, (b) => b.u32(2 ** 26 + 1)],
  ['an array of half an element', { signature: 'au' }, (b) => b.u32(2).u8(1).u8(1)],
  ['an array that ends in an element', { signature: 'as' }, (b) => b.u32(5).text('abcd')],
  ['an array beyond the body', { signature: 'ai' }, (b) => b.u32(8).u32(1)],
];

function messagesOf(rules: readonly Rule[], prefix: string): CorpusMessage[] {
  return [false, true].flatMap((big) =>
    rules.map(([name, message, write]) => ({
      name: `${prefix}: ${name}${big ? ', big-endian' : ''}`,
      bytes: wireMessage({
        ...(message.type === 2 || message.type === 3 ? { type: 2 } : SIGNAL),
        ...{ big, body: bytesOf((bytes) => write?.(bytes), big) },
        ...message,
      }),
    })),
  );
}

export function rulesCorpus(): Corpus {
  return { name: 'rules', messages: [...messagesOf(kept, 'kept'), ...messagesOf(broken, 'broken')] };
}
