/**
 * Makes descriptions from the tables of `defineInterface()` and the options of decorators. Everything that messages or
 * introspection data cannot carry is refused here, when the interface is defined.
 */
import { InvalidArgumentError } from '../base/errors.js';
import { anyValue, KnownOptions, type OptionTable } from '../base/known-options.js';
import { checkInterfaceName, checkMemberName, quoted } from '../base/names.js';
import { parseSignature, parseSingle } from '../signature/parse.js';
import { type Shapes, shapedType } from '../signature/shape.js';
import { type AnnotatedFields, defaultEmits, readFields, withoutDocs, withoutFields } from './annotations.js';
import { parseArguments, shapesOf } from './arguments.js';
import type {
  Access,
  Annotations,
  ArgumentDescription,
  EmitsChanged,
  InterfaceDescription,
  MethodDescription,
  PropertyDescription,
  SignalDescription,
} from './description.js';
import type {
  ArgumentList,
  MemberInput,
  MethodInput,
  PropertyInput,
  ReadingChoice,
  SignalInput,
} from './member-inputs.js';
import { readReturns } from './returned-interfaces.js';
import {
  checkDocumented,
  checkFreeText,
  docsOf,
  documented,
  readAnnotations,
  readArgumentDocs,
  within,
} from './texts.js';

const memberTable: OptionTable<MemberInput> = { docs: anyValue, deprecated: anyValue, annotations: anyValue };
/**
 * The options of each kind of member, in definitions and decorators. Their values are checked where members are described.
 */
export const methodTable: OptionTable<Omit<MethodInput, 'returns'>> = {
  in: anyValue,
  out: anyValue,
  noReply: anyValue,
  variants: anyValue,
  argumentDocs: anyValue,
  ...memberTable,
};
export const signalTable: OptionTable<SignalInput> = { args: anyValue, argumentDocs: anyValue, ...memberTable };
export const propertyTable: OptionTable<PropertyInput> = {
  type: anyValue,
  access: anyValue,
  emits: anyValue,
  variants: anyValue,
  ...memberTable,
};

/** Names of options in dbus-next, and their names here. */
export const elsewhere = {
  method: { inSignature: 'in', outSignature: 'out' },
  signal: { signature: 'args' },
  property: { signature: 'type' },
};

const tables = new KnownOptions<InterfaceInput>(
  'an interface',
  { methods: anyValue, signals: anyValue, properties: anyValue, docs: anyValue, annotations: anyValue },
  { kind: 'table' },
);
const methodOptions = new KnownOptions<MethodInput>(
  'a method',
  { ...methodTable, returns: anyValue },
  { elsewhere: elsewhere.method },
);
const signalOptions = new KnownOptions('a signal', signalTable, { elsewhere: elsewhere.signal });
const propertyOptions = new KnownOptions('a property', propertyTable, { elsewhere: elsewhere.property });

/** Members by name. They are pairs rather than an object, so that a duplicate name is noticed. */
type Members<Input> = Readonly<Record<string, Input>> | Iterable<readonly [name: string, input: Input]>;

export interface InterfaceInput {
  readonly methods?: Members<MethodInput> | undefined;
  readonly signals?: Members<SignalInput> | undefined;
  readonly properties?: Members<PropertyInput> | undefined;
  /** What the interface is for. */
  readonly docs?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** @see D-Bus specification, section "Message Format", INTERFACE */
const LOCAL = 'org.freedesktop.DBus.Local';

/**
 * Describes an interface.
 *
 * @throws {@link InvalidArgumentError} naming the interface and the member, if a name or signature is invalid, a name
 * is a duplicate, or options exclude each other
 */
export function interfaceDescription(name: string, input: InterfaceInput = {}): InterfaceDescription {
  checkInterfaceName(name);
  return within(`interface ${name}`, () => {
    if (name === LOCAL) throw new InvalidArgumentError('the name is reserved: no message may carry it');
    tables.check(input, 'members');
    const annotations = readAnnotations(input.annotations);
    const emits = defaultEmits(annotations);
    return {
      name,
      methods: describeAll(input.methods, 'method', methodDescription),
      signals: describeAll(input.signals, 'signal', signalDescription),
      properties: describeAll(input.properties, 'property', (propertyName, property: PropertyInput) =>
        propertyDescription(propertyName, property, emits),
      ),
      annotations: withoutDocs(annotations),
      ...docsOf(input.docs, annotations),
    };
  });
}

/**
 * Describes a method.
 *
 * @throws {@link InvalidArgumentError}
 */
export function methodDescription(name: string, input: MethodInput = {}): MethodDescription {
  checkMemberName(name);
  methodOptions.check(input);
  checkVariants(input);
  const argumentDocs = readArgumentDocs(input.argumentDocs);
  const inArgs = documented(readArguments('in', input.in), argumentDocs);
  const outArgs = documented(readArguments('out', input.out), argumentDocs);
  checkDocumented(argumentDocs, [...inArgs, ...outArgs]);
  const annotations = readAnnotations(input.annotations);
  const { deprecated, noReply } = fields(input, annotations);
  if (noReply && outArgs.length > 0)
    throw new InvalidArgumentError('a method without reply cannot have "out" arguments');
  const returns = readReturns(input.returns, outArgs);
  return {
    name,
    in: inArgs,
    out: outArgs,
    inSignature: concatenate(inArgs),
    outSignature: concatenate(outArgs),
    ...shapes('inShapes', inArgs),
    ...shapes('outShapes', outArgs),
    ...(returns && { returns }),
    annotations: withoutFields(annotations),
    ...docsOf(input.docs, annotations),
    deprecated: deprecated === true,
    noReply: noReply === true,
  };
}

/**
 * Describes a signal.
 *
 * @throws {@link InvalidArgumentError}
 */
export function signalDescription(name: string, input: SignalInput = {}): SignalDescription {
  checkMemberName(name);
  signalOptions.check(input);
  const argumentDocs = readArgumentDocs(input.argumentDocs);
  const args = documented(readArguments('args', input.args), argumentDocs);
  checkDocumented(argumentDocs, args);
  const annotations = readAnnotations(input.annotations);
  const { deprecated } = fields(input, annotations);
  return {
    name,
    args,
    signature: concatenate(args),
    ...shapes('shapes', args),
    annotations: withoutFields(annotations),
    ...docsOf(input.docs, annotations),
    deprecated: deprecated === true,
  };
}

/**
 * Describes a property. Its name is free text.
 *
 * @param assumedEmits the value for a property that does not set its own
 * @throws {@link InvalidArgumentError}
 */
export function propertyDescription(
  name: string,
  input: PropertyInput,
  assumedEmits: EmitsChanged = true,
): PropertyDescription {
  checkFreeText(name, 'property name');
  if (name === '') throw new InvalidArgumentError('a property name cannot be empty');
  propertyOptions.check(input);
  checkVariants(input);
  if (input.type === undefined)
    throw new InvalidArgumentError(`"type" is missing: give the signature of its value, as in ${examples.property}`);
  const { signature, shape } = shapedType(input.type);
  parseSingle(signature);
  const annotations = readAnnotations(input.annotations);
  const { deprecated, emits = assumedEmits } = fields(input, annotations);
  const access = oneOf<Access>('access', input.access ?? 'readwrite', ['read', 'write', 'readwrite']);
  if (input.emits === 'const' && access === 'readwrite')
    throw new InvalidArgumentError('"emits" is "const", but clients can set it: set "access" to "read"');
  return {
    name,
    signature,
    ...(shape && { shape }),
    access,
    emits: oneOf('emits', emits, [true, 'invalidates', 'const', false]),
    annotations: withoutFields(annotations),
    ...docsOf(input.docs, annotations),
    deprecated: deprecated === true,
  };
}

/** The value of the options, else that of the annotations. */
function fields(input: AnnotatedFieldsInput, annotations: Annotations): AnnotatedFields {
  const { deprecated, noReply, emits } = input;
  for (const [name, value] of Object.entries({ deprecated, noReply })) {
    if (value !== undefined && typeof value !== 'boolean') {
      throw new InvalidArgumentError(`${name} must be true or false, not ${describeValue(value)}`);
    }
  }
  const said = Object.entries({ deprecated, noReply, emits }).filter(([, value]) => value !== undefined);
  return { ...readFields(annotations), ...Object.fromEntries(said) };
}

type AnnotatedFieldsInput = { readonly [Key in keyof AnnotatedFields]?: AnnotatedFields[Key] | undefined };

/** The form of a member of each kind. */
const examples = {
  method: "{ in: ['name:s'], out: 's' }",
  signal: "{ args: ['name:s'] }",
  property: "{ type: 's' }",
};

function describeAll<Input, Description>(
  members: Members<Input> | undefined,
  kind: keyof typeof examples,
  describe: (name: string, input: Input) => Description,
): ReadonlyMap<string, Description> {
  if (members !== undefined && (typeof members !== 'object' || members === null)) {
    const table = `${kind === 'property' ? 'propertie' : kind}s`;
    throw new InvalidArgumentError(
      `"${table}": expected an object, as in { Name: ${examples[kind]} }, got ${describeValue(members)}`,
    );
  }
  const described = new Map<string, Description>();
  for (const [name, input] of entriesOf(members ?? {})) {
    within(`${kind} ${quoted(name)}`, () => {
      if (described.has(name)) throw new InvalidArgumentError('is defined twice');
      if (typeof input !== 'object' || input === null || Array.isArray(input)) {
        throw new InvalidArgumentError(`expected an object, as in ${examples[kind]}, got ${describeValue(input)}`);
      }
      described.set(name, describe(name, input));
    });
  }
  return described;
}

function entriesOf<Input>(members: Members<Input>): Iterable<readonly [string, Input]> {
  const isIterable = (value: Members<Input>): value is Iterable<readonly [string, Input]> => Symbol.iterator in value;
  return isIterable(members) ? members : Object.entries(members);
}

function readArguments(key: string, list: ArgumentList | undefined): readonly ArgumentDescription[] {
  if (list === undefined) return [];
  return within(`"${key}"`, () => {
    const args = parseArguments(list);
    for (const { name } of args) if (name !== undefined) checkFreeText(name, 'argument name');
    return args;
  });
}

/** The shapes of arguments under a key of the description, if there are any. */
function shapes<Key extends string>(key: Key, args: readonly ArgumentDescription[]): { readonly [K in Key]?: Shapes } {
  const found = shapesOf(args);
  return found === undefined ? {} : ({ [key]: found } as { readonly [K in Key]?: Shapes });
}

/** Each argument may be valid while all of them together are too long for the signature of a message. */
function concatenate(args: readonly ArgumentDescription[]): string {
  const signature = args.map((arg) => arg.signature).join('');
  parseSignature(signature);
  return signature;
}

function describeValue(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value;
}

function oneOf<T>(what: string, value: T, known: readonly T[]): T {
  if (known.includes(value)) return value;
  throw new InvalidArgumentError(`${what} must be one of ${known.map((each) => JSON.stringify(each)).join(', ')}`);
}

function checkVariants({ variants }: ReadingChoice): void {
  oneOf('variants', variants ?? 'plain', ['plain', 'wrap', 'keep']);
}
