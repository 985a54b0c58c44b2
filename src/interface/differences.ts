/** Compares the description of an interface with another one: that of an object, or of another version. */
import { InvalidArgumentError } from '../base/errors.js';
import { quoted } from '../base/names.js';
import type { InterfaceDescription, MethodDescription, PropertyDescription, SignalDescription } from './description.js';

/**
 * What differs. `missing`: the interface or member does not exist. `extra`: it exists, and is not expected. The others are
 * named as in definitions: the signatures of arguments (`in`, `out`, `args`) and of properties (`type`), their `access`,
 * and what annotations of the specification say (`emits`, `deprecated`, `noReply`).
 */
export type DifferenceKind =
  | 'missing'
  | 'extra'
  | 'in'
  | 'out'
  | 'args'
  | 'type'
  | 'access'
  | 'emits'
  | 'deprecated'
  | 'noReply';

/** A difference between the expected description of an interface and another one. */
export interface Difference {
  /** The name of the interface. */
  readonly interface: string;
  /** What is different: the interface as a whole, or a member. */
  readonly of: 'interface' | 'method' | 'signal' | 'property';
  /** The name of the interface or member. */
  readonly name: string;
  /** What differs. */
  readonly kind: DifferenceKind;
  /** The expected signature or other value as text; `undefined` for `missing` and `extra`. */
  readonly expected: string | undefined;
  /** What was found, as text; `undefined` for `missing` and `extra`. */
  readonly found: string | undefined;
  /** `false` for `extra`: programs that were made for the description do not notice it. */
  readonly isFailure: boolean;
  /** The difference as a sentence. */
  readonly message: string;
}

/**
 * Compares two descriptions of an interface. Names of arguments, documentation, and annotations that the specification
 * does not define are not compared, because they change no message. {@link MessageBus.conforms} compares an object with a
 * description.
 *
 * @example
 * ```ts
 * const xml = await readFile('org.example.dbustest.xml', 'utf8');
 * const found = parseIntrospection(xml).interfaces.get(Module.name);
 * for (const { message } of interfaceDifferences(Module.description, found)) console.log(message);
 * ```
 *
 * @param expected the description that programs rely on
 * @param found the other one; `undefined` if the interface does not exist
 * @returns the differences, in the order of the expected members; an empty list if there are none
 * @throws {@link InvalidArgumentError} if one of them is not a description
 * @see D-Bus specification, section "Introspection Data Format"
 */
export function interfaceDifferences(
  expected: InterfaceDescription,
  found: InterfaceDescription | undefined,
): readonly Difference[] {
  for (const [name, description] of Object.entries({ expected, ...(found && { found }) })) {
    const { methods, signals, properties } = (description ?? {}) as Partial<InterfaceDescription>;
    if (methods instanceof Map && signals instanceof Map && properties instanceof Map) continue;
    throw new InvalidArgumentError(`${name}: expected the description of an interface`);
  }
  const comparison = new Comparison(expected.name);
  if (found === undefined) comparison.add('interface', expected.name, 'missing');
  else {
    comparison.members('method', expected.methods, matched(expected.methods, found.methods), compareMethods);
    comparison.members('signal', expected.signals, found.signals, compareSignals);
    comparison.members('property', expected.properties, found.properties, compareProperties);
  }
  return comparison.differences;
}

/** Compares a value of a member. */
type Compare = (kind: DifferenceKind, expected: string | boolean, found: string | boolean) => void;

class Comparison {
  readonly differences: Difference[] = [];
  readonly #interface: string;

  constructor(name: string) {
    this.#interface = name;
  }

  members<T>(
    of: Difference['of'],
    expected: ReadonlyMap<string, T>,
    found: ReadonlyMap<string, T>,
    compare: (expected: T, found: T, values: Compare) => void,
  ): void {
    for (const [name, member] of expected) {
      const other = found.get(name);
      if (other === undefined) this.add(of, name, 'missing');
      else {
        compare(member, other, (kind, one, another) => {
          if (one !== another) this.add(of, name, kind, String(one), String(another));
        });
      }
    }
    for (const name of found.keys()) if (!expected.has(name)) this.add(of, name, 'extra');
  }

  add(of: Difference['of'], name: string, kind: DifferenceKind, expected?: string, found?: string): void {
    const what = of === 'interface' ? `interface ${name}` : `${of} ${this.#interface}.${shown(name)}`;
    const message =
      kind === 'missing'
        ? `${what} does not exist`
        : kind === 'extra'
          ? `${what} is not expected`
          : `${what} has ${kind} "${found}": expected "${expected}"`;
    const isFailure = kind !== 'extra';
    this.differences.push({ interface: this.#interface, of, name, kind, expected, found, isFailure, message });
  }
}

/** The methods by the keys of the expected ones that have the same arguments: overloads may be in any order. */
function matched(
  expected: InterfaceDescription['methods'],
  found: InterfaceDescription['methods'],
): InterfaceDescription['methods'] {
  const keys = new Map([...expected].map(([key, { name, inSignature }]) => [`${name}(${inSignature})`, key]));
  const pairs = [...found].map(([key, method]) => {
    const sameArguments = keys.get(`${method.name}(${method.inSignature})`);
    return [sameArguments ?? key, method, sameArguments !== undefined] as const;
  });
  // A method with the same arguments replaces one that only has the same name.
  const sorted = pairs.sort((a, b) => Number(a[2]) - Number(b[2]));
  return new Map(sorted.map(([key, method]) => [key, method]));
}

/** Names of properties are free text. */
function shown(name: string): string {
  return /^[\w-]+(\(.*\))?$/.test(name) ? name : quoted(name);
}

function compareMethods(expected: MethodDescription, found: MethodDescription, compare: Compare): void {
  compare('in', expected.inSignature, found.inSignature);
  compare('out', expected.outSignature, found.outSignature);
  compare('deprecated', expected.deprecated, found.deprecated);
  compare('noReply', expected.noReply, found.noReply);
}

function compareSignals(expected: SignalDescription, found: SignalDescription, compare: Compare): void {
  compare('args', expected.signature, found.signature);
  compare('deprecated', expected.deprecated, found.deprecated);
}

function compareProperties(expected: PropertyDescription, found: PropertyDescription, compare: Compare): void {
  compare('type', expected.signature, found.signature);
  compare('access', expected.access, found.access);
  compare('emits', String(expected.emits), String(found.emits));
  compare('deprecated', expected.deprecated, found.deprecated);
}
