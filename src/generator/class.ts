/** Writes an interface as a decorated class. */
import type {
  ArgumentDescription,
  EmitsChanged,
  InterfaceDescription,
  MethodDescription,
  PropertyDescription,
  SignalDescription,
} from '../interface/description.js';
import { assumedEmits, methodOptions, overloads, propertyOptions, signalOptions, textRows } from './definition.js';
import { interfaceComment, memberComment } from './documentation.js';
import { type Expression, type Row, table, WIDTH, written } from './layout.js';
import { memberKey, parameterNames, string, untaken } from './literals.js';
import { tupleType, valueType } from './value-types.js';

/** Members of every instance, which are not to be replaced, and what a class cannot have as a member. */
const TAKEN = [...Object.getOwnPropertyNames(Object.prototype), 'emitPropertiesChanged', 'signalsTo'];

const MEMBER = 2;

/** The class, without the imports that it needs. */
export function classText(description: InterfaceDescription, name: string): string {
  const { docs, annotations } = description;
  const methods = overloads(description)[0] ?? [];
  const keys = new Keys(description);
  const named = string(description.name);
  const superText = written(
    table([{ key: 'name', value: named }, ...textRows({ docs, annotations })]),
    4,
    '    super(',
    ');'.length,
  );
  const isPlain = docs === undefined && annotations.size === 0;
  const comment = interfaceComment(
    description,
    'A subclass overrides the methods; others answer that they are not implemented.',
  );
  const assumed = assumedEmits(annotations);
  const members = [
    [`  constructor() {`, `    super(${isPlain ? named : superText});`, '  }'],
    ...methods.map((method) => methodLines(method, keys.of('method', method.name))),
    ...[...description.signals.values()].map((signal) => signalLines(signal, keys.of('signal', signal.name))),
    ...[...description.properties.values()].map((property) =>
      propertyLines(property, keys.of('property', property.name), assumed),
    ),
  ];
  return `${[
    ...comment,
    `export class ${name} extends ServiceInterface {`,
    members.map((lines) => lines.join('\n')).join('\n\n'),
    '}',
  ].join('\n')}\n`;
}

type Kind = 'method' | 'signal' | 'property';

/** The names of members in the class. Usually they are those on D-Bus, where a method and a signal may share one. */
class Keys {
  readonly #keys = new Map<string, string>();

  constructor(description: InterfaceDescription) {
    const names: Record<Kind, Iterable<string>> = {
      method: new Set([...description.methods.values()].map(({ name }) => name)),
      signal: description.signals.keys(),
      property: description.properties.keys(),
    };
    const taken = new Set(TAKEN);
    const later: [Kind, string][] = [];
    for (const kind of ['method', 'signal', 'property'] as const) {
      for (const name of names[kind]) {
        if (taken.has(name)) later.push([kind, name]);
        else this.#keys.set(`${kind} ${name}`, name);
        taken.add(name);
      }
    }
    for (const [kind, name] of later) {
      const key = untaken(`${name}${kind[0]?.toUpperCase()}${kind.slice(1)}`, (each) => taken.has(each));
      taken.add(key);
      this.#keys.set(`${kind} ${name}`, key);
    }
  }

  of(kind: Kind, name: string): string {
    return this.#keys.get(`${kind} ${name}`) as string;
  }
}

/** The option that names a member on D-Bus, if it has another name in the class. */
function nameRow(name: string, key: string): readonly Row[] {
  return name === key ? [] : [{ key: 'name', value: string(name) }];
}

function methodLines(method: MethodDescription, key: string): readonly string[] {
  const names = parameterNames(method.in.map(({ name }) => name));
  const result = resultType(method.out);
  const returned = result === 'unknown' ? [result] : [result, `Promise<${result}>`];
  return [
    ...commentLines(memberComment(method, names, MEMBER)),
    decorator('method', methodOptions(method, nameRow(method.name, key))),
    ...functionLines(key, parameters(method.in, names), returned, [notImplemented('return ', method.name, names)]),
  ];
}

function signalLines(signal: SignalDescription, key: string): readonly string[] {
  const names = parameterNames(signal.args.map(({ name }) => name));
  const types = signal.args.map(({ signature }) => valueType(signature).type);
  // `Emits` needs to know something of a value: every value is one of these.
  const only = types[0] === 'unknown' ? 'string | number | bigint | boolean | object' : types[0];
  const labelled = types.map((type, index) => `${names[index]}: ${type}`);
  const params = names.length === 1 ? [`${names[0]}: ${only}`] : parameters(signal.args, names);
  const body = [[], [`    return ${names[0]};`]][names.length] ?? [group('    return [', names, '];')];
  return [
    ...commentLines(memberComment({ ...signal, in: signal.args }, names, MEMBER)),
    decorator('signal', signalOptions(signal, nameRow(signal.name, key))),
    ...functionLines(key, params, emitsTypes(labelled, only), body),
  ];
}

/**
 * The type that a signal returns. In that of a single argument, the second type argument has its name, and says that a
 * struct is one argument.
 */
function emitsTypes(args: readonly string[], only: string | undefined): readonly string[] {
  const tuple = `[${args.join(', ')}]`;
  if (args.length === 0) return ['Emits'];
  if (args.length === 1) return [`Emits<${only}, ${tuple}>`];
  if (tuple.length + '  ): Emits<> {'.length <= WIDTH) return [`Emits<${tuple}>`];
  return [`Emits<\n${group('    [', args, ']')}\n  >`];
}

function propertyLines(property: PropertyDescription, key: string, assumed: EmitsChanged): readonly string[] {
  const { type, value } = valueType(property.signature);
  const member = memberKey(key);
  const lines = [
    ...commentLines(memberComment(property, [], MEMBER)),
    decorator('property', propertyOptions(property, assumed, nameRow(property.name, key))),
  ];
  if (value !== undefined) return [...lines, `  accessor ${member}: ${type} = ${value};`];
  const getter = functionLines(`get ${member}`, [], [type], [notImplemented('return ', property.name, [])]);
  const setter = functionLines(`set ${member}`, [`value: ${type}`], [], [notImplemented('', property.name, ['value'])]);
  if (property.access !== 'write') lines.push(...getter);
  if (property.access !== 'read') lines.push(...setter);
  return lines;
}

function commentLines(comment: readonly string[]): readonly string[] {
  return comment.map((line) => `  ${line}`);
}

function decorator(name: string, options: Expression): string {
  const text = written(options, MEMBER, `  @${name}(`, 1);
  return `  @${name}(${text === '{}' ? '' : text})`;
}

function parameters(args: readonly ArgumentDescription[], names: readonly string[]): readonly string[] {
  return args.map(({ signature }, index) => `${names[index]}: ${valueType(signature).type}`);
}

function resultType(out: readonly ArgumentDescription[]): string {
  const signatures = out.map(({ signature }) => signature);
  const [first] = signatures;
  if (first === undefined) return 'void';
  return signatures.length === 1 ? valueType(first).type : tupleType(signatures);
}

/**
 * The lines of a function.
 *
 * @param key its name as it is written
 * @param results the types of its result, of which it has one
 */
function functionLines(
  key: string,
  params: readonly string[],
  results: readonly string[],
  body: readonly string[],
): readonly string[] {
  const colon = results.length === 0 ? ')' : '):';
  const end = body.length === 0 ? ' {}' : ' {';
  const line = `  ${key}(${params.join(', ')}${[colon, results.join(' | ')].join(' ').trimEnd()}${end}`;
  const rest = body.length === 0 ? [] : [...body, '  }'];
  if (line.length <= WIDTH) return [line, ...rest];
  const start =
    params.length === 0 ? `  ${key}(` : [`  ${key}(`, ...params.map((param) => `    ${param},`), '  '].join('\n');
  const last = `${start.split('\n').at(-1)}${colon} ${results.join(' | ')}${end}`;
  if (last.length <= WIDTH || results.length < 2) return [`${start}${colon} ${results.join(' | ')}${end}`, ...rest];
  return [`${start}${colon}`, `${results.map((result) => `    | ${result}`).join('\n')}${end}`, ...rest];
}

/** The call that tells that a member is not implemented. It uses the parameters, which some projects require. */
function notImplemented(before: string, name: string, values: readonly string[]): string {
  return group(`    ${before}notImplemented(`, [string(name), ...values], ');');
}

/** Items in brackets: in one line if they fit, else one a line. */
function group(before: string, items: readonly string[], after: string): string {
  const line = `${before}${items.join(', ')}${after}`;
  if (line.length <= WIDTH || items.length === 0) return line;
  const blanks = /^ */.exec(before)?.[0] ?? '';
  return `${before}\n${items.map((item) => `${blanks}  ${item},\n`).join('')}${blanks}${after}`;
}
