/**
 * Messages with descriptors in every possible place of a body, and some with too many or too few. The indexes are not in
 * the order of the descriptors.
 */
import { Variant } from '../../../src/index.js';
import { marshalledValues } from '../../helpers/marshalled-values.js';
import { wireMessage } from '../../helpers/wire.js';
import type { Corpus, CorpusMessage } from '../corpus.js';

const SIGNAL = { type: 4, path: '/a', interface: 'a.b', member: 'C', sender: ':1.2' } as const;
const REPLY = { type: 2, replySerial: 1, sender: ':1.2' } as const;

type Row = readonly [name: string, signature: string, values: readonly unknown[], came: number, said?: number];

const v = (signature: string, value: unknown) => new Variant(signature, value);

const rows: readonly Row[] = [
  ['one', 'h', [0], 1],
  ['two, the second one first', 'hh', [1, 0], 2],
  ['one twice', 'hsh', [0, 'x', 0], 1],
  ['in an array', 'ah', [[2, 0, 1]], 3],
  [
    'in structs',
    'a(yh)',
    [
      [
        [1, 1],
        [2, 0],
      ],
    ],
    2,
  ],
  ['in variants', 'vav', [v('h', 1), [v('(h)', [0]), v('s', 'x')]], 2],
  ['in a dictionary', 'a{sv}', [{ a: v('h', 0), b: v('ah', [1, 1]) }], 2],
  ['that no value refers to', 's', ['x'], 2],
  ['that only some values refer to', 'h', [1], 3],
  ['in an empty array', 'ah', [[]], 1],
  ['sixteen', 'ah', [Array.from({ length: 16 }, (_, index) => 15 - index)], 16],
  ['an index that is too great', 'h', [1], 1],
  ['an index that is far too great', 'h', [0xffff_ffff], 1],
];

/** After these, nothing tells which descriptors belong to which message. */
const broken: readonly Row[] = [
  ['fewer than the header says', 'h', [0], 1, 2],
  ['more than the header says', 'h', [0], 2, 1],
  ['not mentioned in the header', 's', ['x'], 1, 0],
];

export function descriptorsCorpus(): Corpus {
  const messages = [...rows, ...broken].flatMap(([name, signature, values, came, said = came]): CorpusMessage[] =>
    [SIGNAL, REPLY].flatMap((header) =>
      [false, true].map((big) => ({
        name: `descriptors: ${name}${big ? ', big-endian' : ''}${header === REPLY ? ', in a reply' : ''}`,
        bytes: wireMessage({
          ...header,
          ...{ serial: 9, big, signature, body: marshalledValues(signature, values, big) },
          unixFds: said === 0 ? undefined : said,
        }),
        fds: came,
      })),
    ),
  );
  return { name: 'descriptors', messages };
}
