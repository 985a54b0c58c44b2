/**
 * Where readers of D-Bus messages differ from busbar on purpose, or because they cannot help it: everything else that
 * differs fails. Each entry says what the specification has to say, and is met by a message of `corpora/rules.ts`, so
 * that none outlives its reason; those of one version only where that version is read.
 */
import { endsWithinPadding } from './array-ends.js';
import type { Disagreement } from './comparison.js';
import { leniency } from './leniency.js';
import { isSound } from './reading.js';

export interface Difference {
  readonly id: string;
  /** Who differs. `busbar over sd-bus` differs from the socket transport, and that from the check of whole messages. */
  readonly readers: readonly string[];
  /** What the specification says, and who follows it. */
  readonly rule: string;
  /** How the version begins that differs so, where that is a mistake which others will mend. */
  readonly version?: string;
  readonly applies: (found: Disagreement) => boolean;
}

const both = ['sd-bus', 'busbar over sd-bus'];

/** They take a message that breaks this rule, up to its body at least. */
const takesDespite =
  (rule: string) =>
  ({ what, check, theirs }: Disagreement): boolean =>
    check.because === rule &&
    (what === 'accepts' || (what === 'outcome' && ['message', 'reply', 'faulty body'].includes(theirs.outcome)));

/** They refuse something that is sound. */
const refuses = ({ what, check, theirs }: Disagreement): boolean =>
  check.outcome === 'message' &&
  (what === 'refuses' || (what === 'outcome' && ['nothing', 'faulty body'].includes(theirs.outcome)));

/** They see nothing of something whose header is sound. */
const drops = ({ what, ours, theirs }: Disagreement): boolean =>
  (what === 'refuses' || what === 'outcome') && ours.outcome !== 'closed' && theirs.outcome === 'nothing';

/** The values in it; where we do not look at them, for want of a known type, whatever text the bytes are. */
const textOf = ({ ours, message }: Disagreement): string =>
  ours.outcome === 'nothing' ? message.bytes.toString() : JSON.stringify([ours.body, ours.answer]);

/** Whether a header carries a field of this code and basic type; fields begin on 8-byte boundaries. */
function carries({ message: { bytes } }: Disagreement, code: number, type: string): boolean {
  const field = Buffer.of(code, 1, type.charCodeAt(0), 0);
  for (let at = 16; at + 8 <= bytes.length; at += 8) if (bytes.subarray(at, at + 4).equals(field)) return true;
  return false;
}

/** Whether a header has a field that the specification does not know, whose signature is empty. */
function hasUnknownFieldOfNoType({ message: { bytes } }: Disagreement): boolean {
  for (let at = 16; at + 3 <= bytes.length; at += 8) {
    if ((bytes[at] as number) > 9 && bytes[at + 1] === 0 && bytes[at + 2] === 0) return true;
  }
  return false;
}

/** Whether a header has the field with code 10, which the specification does not know, and it is no object path. */
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
    rule: '"Invalid Protocol and Spec Extensions": whoever violates the specification should be disconnected at once. sd-bus goes on, without a word, even where the fixed part of a message is invalid.',
    applies: ({ what, ours, theirs }) =>
      what === 'outcome' && ours.outcome === 'closed' && theirs.outcome === 'nothing',
  },
  {
    id: 'header fields may exceed 64 MiB',
    readers: ['busbar over sd-bus'],
    rule: '"Marshaling": an array must not exceed 64 MiB, and header fields are one. sd-bus waits for all of it, up to 128 MiB.',
    applies: ({ what, ours, theirs }) =>
      what === 'outcome' && ours.outcome === 'closed' && theirs.outcome === 'waiting',
  },
  {
    id: 'versions are not looked at',
    readers: both,
    rule: '"Message Format": the major protocol version of a message must be 1.',
    applies: takesDespite('the protocol version must be 1'),
  },
  {
    id: 'padding behind the header is not looked at',
    readers: both,
    rule: '"Message Format": the header is padded with nul bytes.',
    applies: takesDespite('padding behind the header must be zero'),
  },
  {
    id: 'unknown header fields are not looked into',
    readers: both,
    rule: '"Header Fields": unknown fields are ignored; what they hold is part of the message, and has to be valid.',
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
    id: 'bodies need no signature',
    readers: both,
    rule: '"Header Fields": without SIGNATURE the body must be of zero length.',
    applies: takesDespite('a message with a body must have a SIGNATURE'),
  },
  {
    id: 'dict entries outside arrays are found late',
    readers: ['busbar over sd-bus'],
    rule: '"Dict entry": occurs only as an array element type. sd-bus finds it wrong when the body is read.',
    applies: takesDespite('SIGNATURE must be a valid signature'),
  },
  {
    id: 'dict entries outside arrays are values',
    readers: ['sd-bus'],
    rule: '"Valid Signatures": a dict entry occurs only as an array element type. busbar checks what sd-bus lets pass.',
    applies: takesDespite('a signature must be valid'),
  },
  {
    id: 'booleans are any number',
    readers: both,
    rule: '"Marshaling": of a BOOLEAN only 0 and 1 are valid.',
    applies: takesDespite('a boolean must be 0 or 1'),
  },
  {
    id: 'bodies may go on',
    readers: both,
    rule: '"Message Format": the body is made of the values of its signature, and of nothing more.',
    applies: takesDespite('the body must end with the last value of its signature'),
  },
  {
    id: 'values nest without limit',
    readers: ['sd-bus'],
    rule: '"Valid Signatures": the total depth of a message is 64, variants included. busbar checks what sd-bus lets pass.',
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
    id: 'REPLY_SERIAL is refused where it means nothing',
    readers: both,
    rule: '"Header Fields": a field in a message of a type that it is not defined for is ignored.',
    applies: (found) => drops(found) && isRequest(found) && carries(found, 5, 'u'),
  },
  {
    id: 'REPLY_SERIAL is shown where it means nothing',
    readers: ['libdbus', 'GDBus', 'dbus-next', 'dbus-fast'],
    rule: '"Header Fields": a field in a message of a type that it is not defined for is ignored. They show it, busbar does not.',
    applies: (found) => found.what === 'replySerial' && isRequest(found) && found.ours.replySerial === null,
  },
  {
    id: 'paths of 64 KiB are refused',
    readers: both,
    rule: '"Valid Object Paths": have no limit of their own.',
    applies: (found) => drops(found) && (found.ours.path?.length ?? 0) >= 65_535,
  },
  {
    id: 'flags that mean nothing are not shown',
    readers: ['busbar over sd-bus'],
    rule: '"Message Format": unknown flags are ignored, and only calls expect replies or ask people. sd-bus has no getter for the rest.',
    applies: ({ what, ours, theirs }) => {
      const meaningful = ours.type === 1 ? 0b111 : 0b010;
      return what === 'flags' && ((ours.flags as number) & meaningful) === theirs.flags;
    },
  },
  {
    id: 'descriptors that did not come',
    readers: ['busbar over a socket', 'sd-bus', 'libdbus'],
    rule: '"Header Fields": UNIX_FDS is how many descriptors come with the message. The check of bytes does not know.',
    applies: (found) =>
      carries(found, 9, 'u') &&
      (found.what === 'refuses' || (found.what === 'outcome' && found.theirs.outcome === 'closed')),
  },
  {
    id: 'descriptors are looked for by who takes them',
    readers: ['libdbus'],
    rule: '"Marshaling": a UNIX_FD is an index into the array of descriptors. libdbus leaves it to whoever takes one.',
    applies: takesDespite('a file descriptor must be one of those that came with the message'),
  },
  {
    id: 'a field for containers is known',
    readers: ['libdbus'],
    rule: '"Header Fields": unknown fields are ignored. libdbus has reserved code 10 for the path of a container, and wants a path there.',
    applies: (found) => refuses(found) && hasContainerOfOtherType(found),
  },
  {
    id: 'unique names of one element',
    readers: ['libdbus'],
    rule: '"Bus names" consist of two or more elements.',
    applies: (found) =>
      takesDespite('DESTINATION must be a bus name')(found) || takesDespite('SENDER must be a bus name')(found),
  },
  {
    id: 'nothing unknown is taken',
    readers: ['dbus-next', 'dbus-fast'],
    rule: '"Invalid Protocol and Spec Extensions": unknown types, header fields and flags are ignored. They refuse the message.',
    applies: ({ what, theirs }) =>
      what === 'refuses' && /is not a valid (MessageType|HeaderField)|^KeyError: \d+$/.test(theirs.because ?? ''),
  },
  {
    id: 'lengths of strings count characters',
    readers: ['what dbus-fast wrote'],
    rule: '"Marshaling": the length of a string is that of its UTF-8, in bytes. dbus-fast 1.84 writes the number of characters.',
    version: '1.84',
    applies: (found) => ['refuses', 'body'].includes(found.what) && /[^\0-\x7f]/.test(textOf(found)),
  },
  {
    id: 'padding in front of elements counts as theirs',
    readers: ['GDBus'],
    rule: '"Marshaling": the length of an array does not include the padding in front of its first element. To GLib 2.74 an array may be over before a short last element.',
    version: '2.74',
    applies: (found) => isSound(found.check) && found.what !== 'accepts' && endsWithinPadding(found.message.bytes),
  },
  {
    id: 'names may end with a line feed',
    readers: ['dbus-next'],
    rule: '"Valid Names" consist of letters, digits and underscores. To a regular expression of Python `$` is in front of a last line feed, too.',
    applies: ({ what, check, message: { bytes } }) =>
      what === 'accepts' && / must be an? (\w+ name|object path)$/.test(check.because ?? '') && bytes.includes('\n\0'),
  },
  {
    id: 'less is checked than the specification asks for',
    readers: ['GDBus', 'dbus-next', 'dbus-fast'],
    rule: '"Invalid Protocol and Spec Extensions": the protocol should be strictly parsed and validated. `leniency.ts` has what each of them does not look at.',
    applies: ({ what, reader, check }) => what === 'accepts' && leniency[reader]?.has(check.because ?? '') === true,
  },
];
