/**
 * Generates introspection data from descriptions. The same description always gives the same text.
 *
 * @see D-Bus specification, section "Introspection Data Format"
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { defaultEmits, writeFields } from '../annotations.js';
import type {
  Annotations,
  ArgumentDescription,
  InterfaceDescription,
  MethodDescription,
  NodeDescription,
  PropertyDescription,
  SignalDescription,
} from '../description.js';
import { escapeAttribute } from './xml.js';

const DOCUMENT_TYPE = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
`;

/** Lines without indentation. The enclosing element indents them. */
export type Lines = readonly string[];

type Attributes = Readonly<Record<string, string | undefined>>;

/**
 * Returns the introspection data of a node, as `org.freedesktop.DBus.Introspectable.Introspect` returns it. The same
 * description always gives the same text.
 *
 * @example
 * ```ts
 * const interfaces = new Map([[Module.name, Module.description]]);
 * const xml = introspectionXml({ path: '/org/example/dbustest', interfaces, children: new Map() });
 * ```
 * @throws {@link InvalidArgumentError} if the node is not a valid description
 * @see D-Bus specification, section "Introspection Data Format"
 */
export function introspectionXml(node: NodeDescription): string {
  if (!(node?.interfaces instanceof Map && node.children instanceof Map)) {
    throw new InvalidArgumentError('node: expected the description of a node, with its interfaces and children');
  }
  try {
    return documentOf(nodeLines(node, node.path));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InvalidArgumentError('node: the description of an interface is incomplete', { cause: error });
  }
}

/** A document with this root. */
function documentOf(lines: Lines): string {
  return `${DOCUMENT_TYPE}${lines.join('\n')}\n`;
}

/** The introspection data of an exported node, of its parts: the lines of its interfaces, and the names of its children. */
export function nodeXml(path: string, interfaces: readonly Lines[], children: Iterable<string>): string {
  return documentOf(
    element('node', { name: path }, [
      ...interfaces.flat(),
      ...Array.from(children, (name) => `<node name="${escapeAttribute(name)}"/>`),
    ]),
  );
}

function nodeLines(node: NodeDescription, name: string | undefined): Lines {
  return element('node', { name }, [
    ...[...node.interfaces.values()].flatMap(interfaceLines),
    ...[...node.children].flatMap(([childName, child]) => nodeLines(child, childName)),
  ]);
}

export function interfaceLines(description: InterfaceDescription): Lines {
  const { name, methods, signals, properties, annotations } = description;
  return element('interface', { name }, [
    ...annotationLines(writeFields(docsOf(description), annotations)),
    ...[...methods.values()].flatMap(methodLines),
    ...[...signals.values()].flatMap(signalLines),
    ...[...properties.values()].flatMap((property) => propertyLines(property, annotations)),
  ]);
}

function methodLines(method: MethodDescription): Lines {
  return element('method', { name: method.name }, [
    ...method.in.flatMap((argument) => argumentLines(argument, 'in')),
    ...method.out.flatMap((argument) => argumentLines(argument, 'out')),
    ...annotationLines(
      writeFields({ ...docsOf(method), deprecated: method.deprecated, noReply: method.noReply }, method.annotations),
    ),
  ]);
}

function signalLines(signal: SignalDescription): Lines {
  return element('signal', { name: signal.name }, [
    ...signal.args.flatMap((argument) => argumentLines(argument, undefined)),
    ...annotationLines(writeFields({ ...docsOf(signal), deprecated: signal.deprecated }, signal.annotations)),
  ]);
}

function propertyLines(property: PropertyDescription, ofInterface: Annotations): Lines {
  const { name, signature, access, deprecated, emits } = property;
  const fields = { ...docsOf(property), deprecated, emits };
  const annotations = writeFields(fields, property.annotations, defaultEmits(ofInterface));
  return element('property', { name, type: signature, access }, annotationLines(annotations));
}

function argumentLines(argument: ArgumentDescription, direction: string | undefined): Lines {
  const { name, signature, annotations = none } = argument;
  return element(
    'arg',
    { name, type: signature, direction },
    annotationLines(writeFields(docsOf(argument), annotations)),
  );
}

const none: Annotations = new Map();

/** The field for the documentation. Most elements have none. */
function docsOf({ docs }: { readonly docs?: string }): { readonly docs?: string } {
  return docs === undefined ? {} : { docs };
}

function annotationLines(annotations: Annotations): Lines {
  return [...annotations].flatMap(([name, value]) => element('annotation', { name, value }, []));
}

function element(name: string, attributes: Attributes, content: Lines): Lines {
  const written = Object.entries(attributes).map(([key, value]) =>
    value === undefined ? '' : ` ${key}="${escapeAttribute(value)}"`,
  );
  const start = `<${name}${written.join('')}`;
  if (content.length === 0) return [`${start}/>`];
  return [`${start}>`, ...content.map((line) => `  ${line}`), `</${name}>`];
}
