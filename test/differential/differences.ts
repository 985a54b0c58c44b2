/**
 * Readers of D-Bus messages that differ from busbar on purpose, or unavoidably: every other difference fails. Each entry
 * has the rule of the specification, and occurs in a message of `corpora/rules.ts`, so that none outlives its reason;
 * entries for one version occur only where that version reads.
 */
import { endsWithinPadding } from './array-ends.js';
import type { Disagreement } from './comparison.js';
import { leniency } from './leniency.js';
import { isSound } from './reading.js';

export interface Difference {
  readonly id: string;
  /**
   * The readers that differ. `busbar over sd-bus` differs from the socket transport, and the latter from the check of whole
   * messages.
   */
  readonly readers: readonly string[];
  /** The rule of the specification, and which side follows it. */
  readonly rule: string;
  /** The beginning of the versions that differ, if the fault is one that other versions will not have. */
  readonly version?: string;
  readonly applies: (found: Disagreement) => boolean;
}

const both = ['sd-bus', 'busbar over sd-bus'];

/** They accept a message that breaks this rule, up to its body at least. */
const takesDespite =
  (rule: string) =>
  ({ what, check, theirs }: Disagreement): boolean =>
    check.because === rule &&
    (what === 'accepts' || (what === 'outcome' && ['message', 'reply', 'faulty body'].includes(theirs.outcome)));

/** They refuse a valid message. */
const refuses = ({ what, check, theirs }: Disagreement): boolean =>
  check.outcome === 'message' &&
  (what === 'refuses' || (what === 'outcome' && ['nothing', 'faulty body'].includes(theirs.outcome)));

/** They do not show a message with a valid header. */
const drops = ({ what, ours, theirs }: Disagreement): boolean =>
  (what === 'refuses' || what === 'outcome') && ours.outcome !== 'closed' && theirs.outcome === 'nothing';

/** The values in it; where busbar does not read them because their type is unknown, the bytes as text. */
const textOf = ({ ours, message }: Disagreement): string =>
  ours.outcome === 'nothing' ? message.bytes.toString() : JSON.stringify([ours.body, ours.answer]);

/** Whether a header has a field of this code and basic type; fields begin on 8-byte boundaries. */
function carries({ message: { bytes } }: Disagreement, code: number, type: string): boolean {
  const field = Buffer.of(code, 1, type.charCodeAt(0), 0);
  for (let at = 16; at + 8 <= bytes.length; at += 8) if (bytes.subarray(at, at + 4).equals(field)) return true;
  return false;
}

/** Whether a header has a field that the specification does not define, with an empty signature. */
function hasUnknownFieldOfNoType({ message: { bytes } }: Disagreement): boolean {
  for (let at = 16; at + 3 <= bytes.length; at += 8) {
    if ((bytes[at] as number) > 9 && bytes[at + 1] === 0 && bytes[at + 2] === 0) return true;
  }
  return false;
}

/** Whether a header has the field with code 10, which the specification does not define, and it is not an object path. */
function hasContainerOfOtherType({ message: { bytes } }: Disagreement): boolean {
  for (let at = 16; at + 3 <= bytes.length; at += 8) {
    if (bytes[at] === 10 && bytes[at + 1] === 1 && bytes[at + 2] !== 'o'.charCodeAt(0)) return true;
  }
  return false;
}

/** The header field SIGNATURE up to its length. */
const SIGNATURE_OF_255_BYTES = Buffer.of(8, 1, 'g'.charCodeAt(0), 0, 255);

const isRequest = ({ message: { bytes } }: Disagreement): boolean => bytes[1] === 1 || bytes[1] === 4;

export const differences: readonly Difference[] = [
  {
    id: 'bad headers are dropped',
    readers: ['busbar over sd-bus'],
    rule: '"Invalid Protocol and Spec Extensions": an application that violates the specification should be disconnected. sd-bus silently continues, even if the fixed part of a message is invalid.',
    applies: ({ what, ours, theirs }) =>
      what === 'outcome' && ours.outcome === 'closed' && theirs.outcome === 'nothing',
  },
  {
    id: 'header fields may exceed 64 MiB',
    readers: ['busbar over sd-bus'],
    rule: '"Marshaling": an array must not exceed 64 MiB, and header fields are one. sd-bus waits for the whole message, up to 128 MiB.',
    applies: ({ what, ours, theirs }) =>
      what === 'outcome' && ours.outcome === 'closed' && theirs.outcome === 'waiting',
  },
  {
    id: 'the protocol version is not checked',
    readers: both,
    rule: '"Message Format": the major protocol version of a message must be 1.',
    applies: takesDespite('the protocol version must be 1'),
  },
  {
    id: 'the padding after the header is not checked',
    readers: both,
    rule: '"Message Format": the header is padded with nul bytes.',
    applies: takesDespite('padding behind the header must be zero'),
  },
  {
    id: 'unknown header fields are not checked',
    readers: both,
    rule: '"Header Fields": unknown fields are ignored; their values are part of the message, and have to be valid.',
    applies: (found) =>
      takesDespite('the value of an unknown header field must be valid')(found) ||
      (takesDespite('a header field must end within the header')(found) && hasUnknownFieldOfNoType(found)),
  },
  {
    id: 'members may begin with a digit',
    readers: both,
    rule: '"Member names" must not begin with a digit.',
    applies: takesDespite('MEMBER must be a member name'),
  },
  {
    id: 'bodies without a signature are accepted',
    readers: both,
    rule: '"Header Fields": without SIGNATURE the body must be of zero length.',
    applies: takesDespite('a message with a body must have a SIGNATURE'),
  },
  {
    id: 'dict entries outside arrays are detected late',
    readers: ['busbar over sd-bus'],
    rule: '"Dict entry": occurs only as an array element type. sd-bus detects the fault when the body is read.',
    applies: takesDespite('SIGNATURE must be a valid signature'),
  },
  {
    id: 'dict entries outside arrays are accepted as values',
    readers: ['sd-bus'],
    rule: '"Valid Signatures": a dict entry occurs only as an array element type. busbar checks bodies that sd-bus accepts.',
    applies: takesDespite('a signature must be valid'),
  },
  {
    id: 'booleans may be any number',
    readers: both,
    rule: '"Marshaling": of a BOOLEAN only 0 and 1 are valid.',
    applies: takesDespite('a boolean must be 0 or 1'),
  },
  {
    id: 'bodies may be longer than their values',
    readers: both,
    rule: '"Message Format": the body consists of the values of its signature only.',
    applies: takesDespite('the body must end with the last value of its signature'),
  },
  {
    id: 'values nest without limit',
    readers: ['sd-bus'],
    rule: '"Valid Signatures": the total depth of a message is 64, variants included. busbar checks bodies that sd-bus accepts.',
    applies: takesDespite('values must not be nested in more than 64 containers'),
  },
  {
    id: 'noncharacters are refused',
    readers: both,
    rule: '"Basic types": noncharacters are valid in strings, by Unicode Corrigendum 9.',
    applies: (found) => refuses(found) && /\p{Noncharacter_Code_Point}/u.test(textOf(found)),
  },
  {
    id: 'signatures of 255 bytes are refused',
    readers: both,
    rule: '"Valid Signatures": the maximum length of a signature is 255.',
    version: '252',
    applies: (found) =>
      (drops(found) && found.message.bytes.includes(SIGNATURE_OF_255_BYTES)) ||
      (refuses(found) && /"(g )?[^" ]{255}"/.test(textOf(found))),
  },
  {
    id: 'REPLY_SERIAL is refused in calls and signals',
    readers: both,
    rule: '"Header Fields": a field in a message of a type that it is not defined for is ignored.',
    applies: (found) => drops(found) && isRequest(found) && carries(found, 5, 'u'),
  },
  {
    id: 'REPLY_SERIAL is shown in calls and signals',
    readers: ['libdbus', 'GDBus', 'dbus-next', 'dbus-fast'],
    rule: '"Header Fields": a field in a message of a type that it is not defined for is ignored. They show it, busbar does not.',
    applies: (found) => found.what === 'replySerial' && isRequest(found) && found.ours.replySerial === null,
  },
  {
    id: 'paths of 64 KiB are refused',
    readers: both,
    rule: '"Valid Object Paths": have no separate limit.',
    applies: (found) => drops(found) && (found.ours.path?.length ?? 0) >= 65_535,
  },
  {
    id: 'flags without a meaning are not shown',
    readers: ['busbar over sd-bus'],
    rule: '"Message Format": unknown flags are ignored, and only calls expect replies or request interactive authorization. sd-bus has no getter for the rest.',
    applies: ({ what, ours, theirs }) => {
      const meaningful = ours.type === 1 ? 0b111 : 0b010;
      return what === 'flags' && ((ours.flags as number) & meaningful) === theirs.flags;
    },
  },
  {
    id: 'missing descriptors',
    readers: ['busbar over a socket', 'sd-bus', 'libdbus'],
    rule: '"Header Fields": UNIX_FDS is the number of descriptors with the message. The check of bytes cannot see them.',
    applies: (found) =>
      carries(found, 9, 'u') &&
      (found.what === 'refuses' || (found.what === 'outcome' && found.theirs.outcome === 'closed')),
  },
  {
    id: 'indexes of descriptors are not checked',
    readers: ['libdbus'],
    rule: '"Marshaling": a UNIX_FD is an index into the array of descriptors. libdbus checks it when a value is read.',
    applies: takesDespite('a file descriptor must be one of those that came with the message'),
  },
  {
    id: 'the field for containers is checked',
    readers: ['libdbus'],
    rule: '"Header Fields": unknown fields are ignored. libdbus has reserved code 10 for the path of a container, and requires a path there.',
    applies: (found) => refuses(found) && hasContainerOfOtherType(found),
  },
  {
    id: 'unique names may have one element',
    readers: ['libdbus'],
    rule: '"Bus names" consist of two or more elements.',
    applies: (found) =>
      takesDespite('DESTINATION must be a bus name')(found) || takesDespite('SENDER must be a bus name')(found),
  },
  {
    id: 'unknown types, fields and flags are refused',
    readers: ['dbus-next', 'dbus-fast'],
    rule: '"Invalid Protocol and Spec Extensions": unknown types, header fields and flags are ignored. They refuse the message.',
    applies: ({ what, theirs }) =>
      what === 'refuses' && /is not a valid (MessageType|HeaderField)|^KeyError: \d+$/.test(theirs.because ?? ''),
  },
  {
    id: 'the length of a string counts characters',
    readers: ['messages written by dbus-fast'],
    rule: '"Marshaling": the length of a string is in bytes. dbus-fast 1.84 writes the number of characters.',
    version: '1.84',
    applies: (found) => ['refuses', 'body'].includes(found.what) && /[^\0-\x7f]/.test(textOf(found)),
  },
  {
    id: 'padding before the first element counts as part of the array',
    readers: ['GDBus'],
    rule: '"Marshaling": the length of an array does not include the padding before its first element. In GLib 2.74 an array may end before a short last element.',
    version: '2.74',
    applies: (found) => isSound(found.check) && found.what !== 'accepts' && endsWithinPadding(found.message.bytes),
  },
  {
    id: 'names, and elements of paths, may end with a line feed',
    readers: ['dbus-next'],
    rule: '"Valid Names" and elements of paths consist of letters, digits and underscores. In a regular expression of Python `$` also matches before a final line feed.',
    applies: ({ what, check, message: { bytes } }) =>
      what === 'accepts' &&
      / must be an? (\w+ name|object path)$|^an object path must be valid$/.test(check.because ?? '') &&
      (bytes.includes('\n\0') || bytes.includes('\n/')),
  },
  {
    id: 'less is checked than the specification requires',
    readers: ['GDBus', 'dbus-next', 'dbus-fast'],
    rule: '"Invalid Protocol and Spec Extensions": the protocol should be strictly parsed and validated. `leniency.ts` lists the rules that each reader does not check.',
    applies: ({ what, reader, check }) => what === 'accepts' && leniency[reader]?.has(check.because ?? '') === true,
  },
];
