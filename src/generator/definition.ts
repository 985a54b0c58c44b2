/** Writes descriptions as definitions: the tables of `defineInterface()`, and the options of decorators. */
import type {
  Annotations,
  ArgumentDescription,
  EmitsChanged,
  InterfaceDescription,
  MethodDescription,
  PropertyDescription,
  SignalDescription,
} from '../interface/description.js';
import { memberComment } from './documentation.js';
import { type Expression, labelled, list, type Row, table } from './layout.js';
import { objectKey, parameterNames, string } from './literals.js';

const EMITS_CHANGED = 'org.freedesktop.DBus.Property.EmitsChangedSignal';

/** The methods of an interface, with the overloads of each name apart: QtDBus has them, a definition does not. */
export function overloads({ methods }: InterfaceDescription): readonly (readonly MethodDescription[])[] {
  const layers: MethodDescription[][] = [[]];
  const count = new Map<string, number>();
  for (const method of methods.values()) {
    const before = count.get(method.name) ?? 0;
    count.set(method.name, before + 1);
    layers[before] ??= [];
    layers[before].push(method);
  }
  return layers;
}

/**
 * The second argument of `defineInterface()`.
 *
 * @param methods those of the interface, or further ones of the same names
 * @param indent the blanks before the line on which it begins
 */
export function definitionTable(
  description: InterfaceDescription,
  methods: readonly MethodDescription[] = overloads(description)[0] ?? [],
  isFirst = true,
): Expression {
  const { signals, properties, docs, annotations } = description;
  const rows: Row[] = isFirst ? [...textRows({ docs, annotations })] : [];
  const add = (key: string, members: readonly Row[]) => {
    if (members.length > 0) rows.push({ key, value: table(members, true) });
  };
  add(
    'methods',
    methods.map((method) => {
      const names = parameterNames(method.in.map(({ name }) => name));
      return { key: objectKey(method.name), value: methodOptions(method), comment: memberComment(method, names, 4) };
    }),
  );
  if (isFirst) {
    add(
      'signals',
      [...signals.values()].map((signal) => {
        const names = parameterNames(signal.args.map(({ name }) => name));
        const comment = memberComment({ ...signal, in: signal.args }, names, 4);
        return { key: objectKey(signal.name), value: signalOptions(signal), comment };
      }),
    );
    const assumed = assumedEmits(annotations);
    add(
      'properties',
      [...properties.values()].map((property) => ({
        key: objectKey(property.name),
        value: propertyOptions(property, assumed),
        comment: memberComment(property, [], 4),
      })),
    );
  }
  return table(rows, rows.length > 0);
}

export function methodOptions(method: MethodDescription, first: readonly Row[] = []): Expression {
  const rows = [...first, ...argumentRows('in', method.in), ...argumentRows('out', method.out, 2)];
  // A method with results has a reply, whatever an annotation says.
  if (method.noReply && method.out.length === 0) rows.push({ key: 'noReply', value: 'true' });
  return table([...rows, ...memberRows(method), ...argumentDocs([...method.in, ...method.out])]);
}

export function signalOptions(signal: SignalDescription, first: readonly Row[] = []): Expression {
  return table([...first, ...argumentRows('args', signal.args), ...memberRows(signal), ...argumentDocs(signal.args)]);
}

/** @param assumed what the interface says of properties that say nothing */
export function propertyOptions(
  property: PropertyDescription,
  assumed: EmitsChanged,
  first: readonly Row[] = [],
): Expression {
  const { signature, access, emits, annotations } = property;
  const rows: Row[] = [...first, { key: 'type', value: string(signature) }];
  if (access !== 'readwrite') rows.push({ key: 'access', value: string(access) });
  // A definition refuses a constant that can be set. Introspection data may say so.
  const isOdd = emits === 'const' && access !== 'read';
  if (emits !== assumed && !isOdd) rows.push({ key: 'emits', value: emitsText(emits) });
  const others = isOdd && emits !== assumed ? new Map([[EMITS_CHANGED, String(emits)], ...annotations]) : annotations;
  return table([...rows, ...memberRows({ ...property, annotations: others })]);
}

function emitsText(emits: EmitsChanged): string {
  return typeof emits === 'string' ? string(emits) : String(emits);
}

/** What the annotation of an interface says of its properties. */
export function assumedEmits(annotations: Annotations): EmitsChanged {
  const value = annotations.get(EMITS_CHANGED);
  return value === 'invalidates' || value === 'const' ? value : value !== 'false';
}

/**
 * @param least the number of arguments from which on the names are seen by callers: a method with one result gives the
 *   value alone
 */
function argumentRows(key: string, args: readonly ArgumentDescription[], least = 1): readonly Row[] {
  if (args.length === 0) return [];
  const items = args.map(({ name, signature }) => string(name === undefined ? signature : `${name}:${signature}`));
  if (args.length < least || args.every(({ name }) => name === undefined)) return [{ key, value: list(items) }];
  // The labels of a tuple are what editors show as the names of parameters.
  const names = parameterNames(args.map(({ name }) => name));
  const value = labelled(
    items,
    items.map((item, index) => `${names[index]}: ${item}`),
  );
  return [{ key, value }];
}

function memberRows({
  docs,
  deprecated,
  annotations,
}: MethodDescription | SignalDescription | PropertyDescription): readonly Row[] {
  return [...(deprecated ? [{ key: 'deprecated', value: 'true' }] : []), ...textRows({ docs, annotations })];
}

/** The documentation and the annotations of anything. */
export function textRows({
  docs,
  annotations,
}: {
  readonly docs: string | undefined;
  readonly annotations: Annotations;
}): readonly Row[] {
  const rows: Row[] = docs === undefined ? [] : [{ key: 'docs', value: string(docs) }];
  if (annotations.size > 0) rows.push({ key: 'annotations', value: textTable(annotations) });
  return rows;
}

/** The documentation of arguments by their names, so only of those whose name is given to no other documentation. */
function argumentDocs(args: readonly ArgumentDescription[]): readonly Row[] {
  const byName = new Map<string, Set<string | undefined>>();
  for (const { name, docs } of args) {
    if (name !== undefined) byName.set(name, (byName.get(name) ?? new Set()).add(docs));
  }
  const documented = [...byName].flatMap(([name, docs]) => {
    const [only] = docs;
    return docs.size === 1 && only !== undefined ? [[name, only] as const] : [];
  });
  return documented.length === 0 ? [] : [{ key: 'argumentDocs', value: textTable(documented) }];
}

function textTable(texts: Iterable<readonly [string, string]>): Expression {
  return table([...texts].map(([name, text]) => ({ key: objectKey(name), value: string(text) })));
}
