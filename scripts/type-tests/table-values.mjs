/**
 * A type test of the table of values in docs/guide/values.md: every value that may be written compiles at every place that
 * takes values: as an argument, a result, a first value, an assigned one, a signal's value, and in a variant, with classes
 * and with definitions.
 */

/** The values that may be written for a signature of each row. */
const rows = [
  ...[...'ynqiud'].map((code) => [code, '5']),
  ...[...'xt'].map((code) => [code, '5', '5n']),
  ['b', 'true'],
  ...[...'sog'].map((code) => [code, "'a'"]),
  ['ay', 'Buffer.of(1)', 'new Uint8Array(2)', '[1, 2]', '[1, 2] as const'],
  ['an', '[1]', 'new Int16Array(2)'],
  ['aq', '[1]', 'new Uint16Array(2)'],
  ['ai', '[1]', '[1] as const', 'new Int32Array(2)'],
  ['au', '[1]', 'new Uint32Array(2)'],
  ['ax', '[1]', '[1n]', 'new BigInt64Array(2)'],
  ['at', '[1]', '[1n]', 'new BigUint64Array(2)'],
  ['ad', '[1]', 'new Float64Array(2)'],
  ['as', "['a']", "['a'] as const"],
  ['aay', '[[1, 2], new Uint8Array(2)]'],
  ['a{su}', '{ a: 1 }', '{ a: 1, b: undefined }', "new Map([['a', 1]])"],
  ['a{ox}', '{ a: 1 }', "new Map([['a', 1n]])"],
  ['a{gs}', "{ a: 'a' }", "new Map([['a', 'a']])"],
  ['a{sv}', '{ a: 1, b: variant.u(5) }', "new Map([['a', variant.u(5)]])", 'described'],
  ['a{sa{sv}}', '{ a: described, b: { a: 1 } }', "new Map([['a', { a: 1 }]])"],
  ['a{us}', "new Map([[1, 'a']])"],
  ['a{xs}', "new Map([[1n, 'a']])", "new Map([[1, 'a']])"],
  ['(sx)', "['a', 5]", "['a', 5n]", "['a', 5] as const"],
  ['(s(ay))', "['a', [[1, 2]]]", "['a', [new Uint8Array(2)]]"],
  ['v', 'variant.u(5)', '5', "'a'", 'true', '5n', 'new Uint8Array(2)', "['a']", '{ a: 1 }'],
  ['h', 'file', '5'],
];

/** The source of the test. */
export function tableValues() {
  return [
    `import {
  defineInterface, type Emits, type FileDescriptor, implement, type MessageBus, method, property, type ReadValue,
  ServiceInterface, signal, Variant, variant, type WriteValue,
} from 'busbar';`,
    'declare const bus: MessageBus;',
    'declare const file: FileDescriptor;',
    'interface Described { readonly Name: string; readonly Size?: number }',
    'declare const described: Described;',
    ...rows.flatMap(([signature, ...values], row) => [
      definition(row, signature),
      ...values.map((value, index) => everywhere(`${row}_${index}`, row, signature, value)),
    ]),
  ].join('\n');
}

const definition = (row, signature) => `
const Defined${row} = defineInterface('org.example.Defined', {
  methods: { Take: { in: '${signature}' }, Give: { out: '${signature}' } },
  signals: { Tell: { args: '${signature}' } },
  properties: { Hold: { type: '${signature}' } },
});
const defined${row} = bus.proxy(Defined${row}, 'org.example', '/');
class Class${row} extends ServiceInterface {
  @method({ in: '${signature}' })
  Take(_value: ReadValue<'${signature}'>): void {}
  @property({ type: '${signature}' })
  accessor Hold: WriteValue<'${signature}'> = undefined as never;
}
const proxy${row} = bus.proxy(Class${row}, 'org.example', '/');
declare const instance${row}: Class${row};`;

const everywhere = (name, row, signature, value) => `
defined${row}.call.Take(${value});
defined${row}.set.Hold(${value});
proxy${row}.call.Take(${value});
proxy${row}.set.Hold(${value});
instance${row}.Hold = ${value};
variant('${signature}', ${value});
new Variant('${signature}', ${value});
const implemented${name} = implement(Defined${row}, { Take() {}, Give: () => (${value}), Hold: ${value} });
implement(Defined${row}, { Take() {}, Give: async () => (${value}), Hold: { get: () => (${value}), set() {} } });
implemented${name}.properties.Hold = ${value};
implemented${name}.emit.Tell(${value});
implemented${name}.emitPropertiesChanged({ Hold: ${value} });
export class Class${name} extends ServiceInterface {
  @method({ out: '${signature}' })
  Give(): WriteValue<'${signature}'> { return ${value}; }
  @method({ out: '${signature}' })
  async GiveLater(): Promise<WriteValue<'${signature}'>> { return ${value}; }
  @signal({ args: '${signature}' })
  Tell(): Emits<WriteValue<'${signature}'>, [ReadValue<'${signature}'>]> { return ${value}; }
  @property({ type: '${signature}' })
  accessor Hold: WriteValue<'${signature}'> = ${value};
}`;
