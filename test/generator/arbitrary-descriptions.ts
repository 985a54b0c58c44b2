/** Random descriptions of interfaces, with names and texts that are easily written wrongly. */
import fc from 'fast-check';
import type { ArgumentDescription, InterfaceDescription } from '../../src/index.js';

const NASTY = [
  ...[
    '*/',
    '/*',
    '//',
    '`',
    '${',
    `\${x}`,
    '\\',
    '\\u',
    "'",
    '"',
    '\n',
    '\r\n',
    '\t',
    '@param x',
    '@deprecated',
    '{@link x}',
  ],
  ...[
    '<b>',
    '&amp;',
    ']]>',
    '-->',
    'é',
    '😀',
    '👩\u200d👧',
    '\u2028',
    '\u202e',
    '\u00a0',
    '  ',
    ': ',
    ':s',
    '?',
    '...',
    '#',
    '-',
  ],
];

/** Text that XML can represent. */
const text = fc
  .array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ maxLength: 8 }), fc.lorem({ maxCount: 4 })), { maxLength: 5 })
  .map((parts) => parts.join('').replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, ''));
const docs = fc.option(text, { nil: undefined, freq: 3 });

/** Names that mean something in JavaScript, in busbar, or in what is generated. */
const ODD_NAMES = [
  ...['then', 'toJSON', 'constructor', '__proto__', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'default'],
  ...['emitPropertiesChanged', 'signalsTo', 'class', 'new', 'function', 'interface', 'await', 'yield', 'arguments'],
  ...[
    'eval',
    'static',
    'get',
    'set',
    'name',
    'length',
    'notImplemented',
    'string',
    'number',
    'Emits',
    'Buffer',
    '_',
    'a',
  ],
];
const memberName = fc.oneof(fc.constantFrom(...ODD_NAMES), fc.stringMatching(/^[A-Za-z_]\w{0,12}$/));
const freeName = fc
  .oneof(memberName, fc.constantFrom('max-level', '1st', 'a b', "it's", '0'), text)
  .filter((name) => name !== '');

const signature = fc.letrec<{ type: string }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...'ybnqiuxtdsoghv'),
    fc.constantFrom('ay', 'a{sv}', 'as', 'aay', 'a{oa{sa{sv}}}'),
    tie('type').map((element) => `a${element}`),
    fc.tuple(fc.constantFrom(...'ybnqiuxtdsog'), tie('type')).map(([key, value]) => `a{${key}${value}}`),
    fc.array(tie('type'), { minLength: 1, maxLength: 4 }).map((fields) => `(${fields.join('')})`),
  ),
})).type;

const annotations = fc
  .dictionary(fc.oneof(fc.constantFrom('org.example.A', '__proto__', 'b-c'), text), text, { maxKeys: 2 })
  .map((entries) => new Map(Object.entries(entries)));

const argument: fc.Arbitrary<ArgumentDescription> = fc
  .record({ name: fc.option(freeName, { nil: undefined, freq: 4 }), signature, docs })
  .map(({ docs: documented, ...rest }) => ({ ...rest, ...(documented !== undefined && { docs: documented }) }));
const args = fc.array(argument, { maxLength: 4 });

const concatenated = (all: readonly ArgumentDescription[]) => all.map((arg) => arg.signature).join('');
const withDocs = <T extends { docs: string | undefined }>({ docs: documented, ...rest }: T) => ({
  ...rest,
  ...(documented !== undefined && { docs: documented }),
});
const common = { docs, annotations, deprecated: fc.boolean() };

const method = fc
  .record({ name: memberName, in: args, out: args, noReply: fc.boolean(), ...common })
  .map((all) => ({ ...withDocs(all), inSignature: concatenated(all.in), outSignature: concatenated(all.out) }));
const signal = fc
  .record({ name: memberName, args, ...common })
  .map((all) => ({ ...withDocs(all), signature: concatenated(all.args) }));
const property = fc
  .record({
    name: freeName,
    signature,
    access: fc.constantFrom('read' as const, 'write' as const, 'readwrite' as const),
    emits: fc.constantFrom(true as const, 'invalidates' as const, 'const' as const, false as const),
    ...common,
  })
  .map(withDocs);

const byName = <T extends { readonly name: string }>(members: readonly T[]): ReadonlyMap<string, T> =>
  new Map(members.map((member) => [member.name, member]));

/** @param interfaceName each description has another name */
export function arbitraryDescription(interfaceName: string): fc.Arbitrary<InterfaceDescription> {
  return fc
    .record({
      methods: fc.array(method, { maxLength: 4 }).map(byName),
      signals: fc.array(signal, { maxLength: 3 }).map(byName),
      properties: fc.array(property, { maxLength: 3 }).map(byName),
      docs,
      annotations: fc
        .tuple(annotations, fc.constantFrom(undefined, 'true', 'false', 'invalidates', 'const'))
        .map(([all, emits]) =>
          emits === undefined ? all : new Map([...all, ['org.freedesktop.DBus.Property.EmitsChangedSignal', emits]]),
        ),
    })
    .map((all) => ({ name: interfaceName, ...withDocs(all) }));
}
