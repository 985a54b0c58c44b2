/**
 * Messages that break the specification in one place each, for a hostile bus, or a hostile peer at either end. Those with
 * an invalid header have the rule that they break, and the place.
 */
import * as assert from 'uvu/assert';
import { type Problem, ProtocolError } from '../../src/index.js';
import { CALL, SIGNAL, TRANSPORT } from './fake-bus-session.js';
import { type Bytes, bytesOf, Field, type WireMessage, wireMessage, writeField } from './wire.js';

const TEXT = { signature: 's', body: bytesOf((b) => b.text('text')) };

/** A broken rule in the words of `native/wire/rule.cc`, and the position of the fault, or of the element with it. */
export interface Breach {
  readonly rule: string;
  readonly at: number | string;
}

const FIELDS = 16;
const BYTE_ORDER = { rule: 'the byte order must be l or B', at: 0 };
const MESSAGE_LENGTH = { rule: 'a message must not exceed 128 MiB', at: 4 };
const VERSION = { rule: 'the protocol version must be 1', at: 3 };
const MISSING = { rule: 'the header must have the fields that its message type requires', at: FIELDS };
const FIELD_TYPE = { rule: 'a header field must have the type that the specification gives it', at: FIELDS };
const FIELD_VALUE = { rule: 'the value of an unknown header field must be valid', at: FIELDS };
export const FD_COUNT = { rule: 'as many file descriptors must come with a message as UNIX_FDS says', at: 0 };
const PATH = 'PATH must be an object path';
const INTERFACE = 'INTERFACE must be an interface name';
const MEMBER = 'MEMBER must be a member name';
const SIGNATURE = 'SIGNATURE must be a valid signature';

type BadHeader = readonly [what: string, message: WireMessage, breach: Breach];

/** Messages whose fixed part breaks a rule, or that lack descriptors: these end the connection. */
export const BAD_FRAMES: readonly BadHeader[] = [
  ['the protocol version 0', { ...SIGNAL, version: 0 }, VERSION],
  ['the message type 0', { ...SIGNAL, type: 0 }, { rule: 'the message type must not be 0', at: 1 }],
  ['the serial 0', { ...SIGNAL, serial: 0 }, { rule: 'the serial must not be 0', at: 8 }],
  ['missing descriptors', { ...SIGNAL, unixFds: 1 }, FD_COUNT],
];

/** The same, but not every transport checks them. */
export const HARMLESS_BAD_FRAMES: readonly BadHeader[] = [
  ['the protocol version 2', { ...SIGNAL, version: 2 }, VERSION],
];

/** Messages whose header fields break a rule each: the fixed part has their length, so only they are affected. */
export const BAD_HEADERS: readonly BadHeader[] = [
  ['a signal without path', { ...SIGNAL, path: undefined }, MISSING],
  ['a signal without interface', { ...SIGNAL, interface: undefined }, MISSING],
  ['a signal without member', { ...SIGNAL, member: undefined }, MISSING],
  ['a call without path', { type: 1, ...CALL, ...TEXT, path: undefined }, MISSING],
  ['a call without member', { type: 1, ...CALL, ...TEXT, member: undefined }, MISSING],
  ['a reply without reply serial', { type: 2 }, MISSING],
  ['an error without name', { type: 3, replySerial: 1 }, MISSING],
  ['an error without reply serial', { type: 3, errorName: 'org.example.Error' }, MISSING],
  // The fault is known when the field has been read: the position is the next byte.
  ['the reply serial 0', { type: 2, replySerial: 0 }, { rule: 'REPLY_SERIAL must not be 0', at: 24 }],
  ['an invalid object path', { ...SIGNAL, path: 'peer' }, { rule: PATH, at: 'peer' }],
  ['an object path with an empty element', { ...SIGNAL, path: '/a//b' }, { rule: PATH, at: '/a//b' }],
  ['an interface of one element', { ...SIGNAL, interface: 'Peer' }, { rule: INTERFACE, at: 'Peer' }],
  [
    'an interface with a hyphen',
    { ...SIGNAL, interface: 'org.example-x.Peer' },
    { rule: INTERFACE, at: 'org.example-x.Peer' },
  ],
  ['a member with a dot', { ...SIGNAL, member: 'Spoke.Up' }, { rule: MEMBER, at: 'Spoke.Up' }],
  ['an empty member', { ...SIGNAL, interface: 'a.b', member: '' }, { rule: MEMBER, at: 56 }],
  [
    'an error name of one element',
    { type: 3, replySerial: 1, errorName: 'Error' },
    { rule: 'ERROR_NAME must be an error name', at: 'Error' },
  ],
  [
    'a destination that is not a bus name',
    { ...SIGNAL, destination: 'nodots' },
    { rule: 'DESTINATION must be a bus name', at: 'nodots' },
  ],
  ['a sender that is not a bus name', { ...SIGNAL, sender: '..' }, { rule: 'SENDER must be a bus name', at: '..' }],
  ['an invalid signature', { ...SIGNAL, signature: 'z', body: bytesOf((b) => b.u32(1)) }, { rule: SIGNATURE, at: 'z' }],
  [
    'a signature with 33 arrays',
    { ...SIGNAL, signature: `${'a'.repeat(33)}y`, body: bytesOf((b) => b.u32(0)) },
    { rule: SIGNATURE, at: 'aaa' },
  ],
  [
    'a path of the type string',
    { ...SIGNAL, path: undefined, moreFields: (b) => writeField(b, Field.Path, 's', '/a') },
    FIELD_TYPE,
  ],
  [
    'a member of the type u',
    { ...SIGNAL, member: undefined, moreFields: (b) => writeField(b, Field.Member, 'u', 5) },
    FIELD_TYPE,
  ],
  [
    'a reply serial of the type string',
    { type: 2, moreFields: (b) => writeField(b, Field.ReplySerial, 's', '5') },
    FIELD_TYPE,
  ],
  [
    'the header field 0',
    { ...SIGNAL, moreFields: (b) => writeField(b, 0, 's', 'x') },
    { rule: 'a header field must not have the code 0', at: FIELDS },
  ],
  [
    'an unknown field that ends outside',
    {
      ...SIGNAL,
      claimedFieldsLength: 8,
      path: undefined,
      interface: undefined,
      member: undefined,
      destination: undefined,
      sender: undefined,
      moreFields: (b) => b.u8(77).signature('s').u32(1000),
    },
    FIELD_VALUE,
  ],
  [
    'a path twice',
    { ...SIGNAL, moreFields: (b) => writeField(b, Field.Path, 'o', '/b') },
    { rule: 'a header field must not appear twice', at: FIELDS },
  ],
  [
    'the path of local messages',
    { ...SIGNAL, path: '/org/freedesktop/DBus/Local' },
    { rule: 'a message must not use the path or interface that is reserved for local messages', at: FIELDS },
  ],
];

/** The same, but not every transport checks them. */
export const HARMLESS_BAD_HEADERS: readonly BadHeader[] = [
  [
    'a body without signature',
    { ...SIGNAL, body: bytesOf((b) => b.u32(1)) },
    { rule: 'a message with a body must have a SIGNATURE', at: 4 },
  ],
  [
    'an unknown field of two types',
    { ...SIGNAL, moreFields: (b) => b.u8(77).signature('yy').u8(1).u8(1) },
    FIELD_VALUE,
  ],
  [
    'padding behind the fields that is not zero',
    { ...SIGNAL, headerPadding: 0xaa },
    { rule: 'padding behind the header must be zero', at: '\xaa' },
  ],
];

/** Beginnings of messages whose end cannot be determined. */
export const ENDLESS: readonly (readonly [what: string, bytes: Buffer, breach: Breach])[] = [
  ['bytes that are not D-Bus', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), BYTE_ORDER],
  ['zeros', Buffer.alloc(64), BYTE_ORDER],
  ['a valid message of an unknown byte order', inByteOrder('b', { ...SIGNAL, ...TEXT }), BYTE_ORDER],
  [
    'fields that claim 4 GiB',
    wireMessage({ ...SIGNAL, claimedFieldsLength: 0xffff_ffff }),
    { rule: 'header fields must not exceed 64 MiB', at: 12 },
  ],
  [
    'a message that claims more than 128 MiB',
    wireMessage({ ...SIGNAL, ...TEXT, claimedBodyLength: 2 ** 27 }),
    MESSAGE_LENGTH,
  ],
  ['a body that claims 4 GiB', wireMessage({ ...SIGNAL, ...TEXT, claimedBodyLength: 0xffff_ffff }), MESSAGE_LENGTH],
];

function inByteOrder(letter: string, message: WireMessage): Buffer {
  const bytes = wireMessage(message);
  bytes.write(letter);
  return bytes;
}

/** Numbers of descriptors that come with a message, and others in its header. */
export const BAD_FD_COUNTS: readonly (readonly [what: string, attached: number, unixFds: number | undefined])[] = [
  ['fewer descriptors than the header says', 1, 3],
  ['more descriptors than the header says', 3, 1],
  ['descriptors that the header does not mention', 2, undefined],
];

/**
 * Asserts that the connection was ended by these bytes, and reports it: with the rule and the position, if the transport
 * knows them.
 */
export function assertBreach(reason: unknown, bytes: Buffer, { rule, at }: Breach): void {
  assert.instance(reason, ProtocolError);
  if (!TRANSPORT.namesRules) return;
  const offset = typeof at === 'number' ? at : bytes.indexOf(at, 'latin1');
  assert.match((reason as Error).message, `the other side broke the protocol: ${rule} (byte ${offset} of a message)`);
}

/** The report of the library on a message that it dropped for its header: the rule, if the transport knows it. */
export function assertDropped(problems: readonly Problem[], what: string, { rule }: Breach): void {
  if (!TRANSPORT.namesRules) return;
  const told = problems.map(({ message, error }) => `${message}: ${error instanceof Error ? error.message : ''}`);
  assert.ok(
    told.some(
      (text) => text.startsWith('a message') && text.endsWith(`the header of the message is not valid: ${rule}`),
    ),
    `${what}: ${told.join(', ')}`,
  );
}

/** Bodies that do not match their signature, with one broken rule each. */
export const BAD_BODIES: readonly (readonly [rule: string, signature: string, body: Buffer])[] = [
  ['a body that ends before its signature does', 'su', bytesOf((b) => b.text('short'))],
  ['an empty body for a signature', 's', Buffer.alloc(0)],
  ['a string that is longer than its body', 's', bytesOf((b) => b.u32(1000).raw('abc\0'))],
  ['a string whose length overflows', 's', bytesOf((b) => b.u32(0xffff_ffff).raw('abc\0'))],
  ['a string without NUL', 's', bytesOf((b) => b.u32(3).raw('abcd'))],
  ['a string with an embedded NUL', 's', bytesOf((b) => b.text('a\0b'))],
  ['a string that is not UTF-8', 's', bytesOf((b) => b.text(Buffer.from([0x61, 0xff, 0x62])))],
  ['a string with an overlong NUL', 's', bytesOf((b) => b.text(Buffer.from([0xc0, 0x80])))],
  ['a string with a surrogate', 's', bytesOf((b) => b.text(Buffer.from([0xed, 0xa0, 0x80])))],
  ['a string beyond U+10FFFF', 's', bytesOf((b) => b.text(Buffer.from([0xf4, 0x90, 0x80, 0x80])))],
  ['an object path without slash', 'o', bytesOf((b) => b.text('a/b'))],
  ['an object path that ends in a slash', 'o', bytesOf((b) => b.text('/a/'))],
  ['an object path with an empty element', 'o', bytesOf((b) => b.text('/a//b'))],
  ['an object path with a hyphen', 'o', bytesOf((b) => b.text('/a-b'))],
  ['an empty object path', 'o', bytesOf((b) => b.text(''))],
  ['a signature of an unknown type', 'g', bytesOf((b) => b.signature('z'))],
  ['a signature with an array of nothing', 'g', bytesOf((b) => b.signature('a'))],
  ['a signature with an empty struct', 'g', bytesOf((b) => b.signature('()'))],
  ['a signature with a dict entry outside an array', 'g', bytesOf((b) => b.signature('{sv}'))],
  ['a signature without NUL', 'g', bytesOf((b) => b.u8(1).raw('ss'))],
  ['a variant without a type', 'v', bytesOf((b) => b.signature('').u32(0))],
  ['a variant of two types', 'v', bytesOf((b) => b.signature('yy').u8(1).u8(2))],
  ['a variant of half a type', 'v', bytesOf((b) => b.signature('a').u32(0))],
  ['a variant of an unknown type', 'v', bytesOf((b) => b.signature('!').u32(0))],
  ['a variant whose value is missing', 'v', bytesOf((b) => b.signature('u'))],
  ['65 variants within one another', 'v', bytesOf((b) => nestedVariants(b, 65))],
  ['100 variants within one another', 'v', bytesOf((b) => nestedVariants(b, 100))],
  ['padding that is not zero', 'yu', bytesOf((b) => b.u8(1).align(4, 7).u32(1))],
  ['array padding that is not zero', 'at', bytesOf((b) => b.u32(8).align(8, 7).u64(1n))],
  ['struct padding that is not zero', 'y(y)', bytesOf((b) => b.u8(1).align(8, 7).u8(1))],
  ['an array of half an element', 'au', bytesOf((b) => b.u32(6).u32(1).u16(1))],
  ['an array of half a struct', 'a(uu)', bytesOf((b) => b.u32(4).align(8).u32(1))],
  ['an array that is longer than its body', 'au', bytesOf((b) => b.u32(400).u32(1))],
  ['an array of strings that ends within one', 'as', bytesOf((b) => b.u32(5).text('abcdef'))],
  ['an array that claims more than 64 MiB', 'ay', bytesOf((b) => b.u32(2 ** 26 + 1).raw('abc'))],
  ['an array that claims 4 GiB', 'ay', bytesOf((b) => b.u32(0xffff_ffff).raw('abc'))],
  ['a dictionary without a value', 'a{su}', bytesOf((b) => b.array(8, (a) => a.text('key')))],
  ['a descriptor without descriptors', 'h', bytesOf((b) => b.u32(0))],
  ['a descriptor in a variant without descriptors', 'v', bytesOf((b) => b.signature('h').align(4).u32(0))],
];

function nestedVariants(bytes: Bytes, depth: number): void {
  for (let i = 1; i < depth; i++) bytes.signature('v');
  bytes.signature('y').u8(1);
}
