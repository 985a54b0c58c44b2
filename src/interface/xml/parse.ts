/**
 * Parses introspection data into descriptions. The data comes from another program, so whatever is usable is kept: a
 * member that cannot be used is left out with a report, and the rest stays.
 *
 * @see D-Bus specification, section "Introspection Data Format"
 */

import { InvalidArgumentError } from '../../base/errors.js';
import { KnownOptions } from '../../base/known-options.js';
import { checkInterfaceName, checkMemberName, checkObjectPath, isObjectPath, quoted } from '../../base/names.js';
import { checkBoolean, checkOptionalString } from '../../base/parameters.js';
import { report } from '../../diagnostics/problems.js';
import { parseSignature, parseSingle } from '../../signature/parse.js';
import {
  checkAnnotation,
  DOC_STRING,
  defaultEmits,
  readDocs,
  readFields,
  withoutDocs,
  withoutFields,
} from '../annotations.js';
import type {
  Access,
  Annotations,
  ArgumentDescription,
  EmitsChanged,
  InterfaceDescription,
  MethodDescription,
  NodeDescription,
  PropertyDescription,
  SignalDescription,
} from '../description.js';
import { DocumentationReader } from './documentation.js';
import { atOnce, inSlices, type Work } from './slices.js';
import { readXml, type XmlElement } from './xml.js';

/** How introspection data is parsed. */
export interface ParseIntrospectionOptions {
  /** The origin of the data, for reports and errors: `org.bluez /org/bluez/hci0`, or the name of a file. */
  readonly origin?: string | undefined;
  /** The maximum length in UTF-16 code units. 4 Mi by default, forty times the size of the largest interfaces in use. */
  readonly maximumLength?: number | undefined;
  /** The maximum depth of nested elements. 128 by default. */
  readonly maximumDepth?: number | undefined;
  /**
   * `true`: documentation beside annotations is read as well, into the same fields `docs`: elements `<doc:doc>` and
   * `<tp:docstring>`, and comments before elements as gtk-doc has them (`<!-- Name: @argument: text -->`).
   */
  readonly documentation?: boolean | undefined;
}

const parseOptions = new KnownOptions<ParseIntrospectionOptions>('parseIntrospection()', {
  origin: checkOptionalString,
  maximumLength: checkMaximum,
  maximumDepth: checkMaximum,
  documentation: checkBoolean,
});

function checkMaximum(value: unknown, name: string): void {
  if (value === undefined || (typeof value === 'number' && value >= 1)) return;
  throw new InvalidArgumentError(`${name}: expected a number of at least 1, got ${String(value)}`);
}

const LENGTH_MAXIMUM = 4 * 1024 * 1024;
const DEPTH_MAXIMUM = 128;
/**
 * The maximum number of unusable elements. Each costs an error and a report, so a document of nothing else would keep
 * the process busy for a second.
 */
const UNUSABLE_MAXIMUM = 1000;
/** How many elements are read before the event loop may run; a power of two. */
const ELEMENTS_A_REST = 32;
/** The maximum number of annotations of one element. */
const ANNOTATIONS_MAXIMUM = 1000;
const SIGNATURE_BYTES_MAXIMUM = 255;

/**
 * Parses introspection data, as `org.freedesktop.DBus.Introspectable.Introspect` returns it or a file contains it.
 *
 * Elements, attributes and namespaces that the specification does not define are ignored. Members with an invalid or
 * missing name, signature or access, and duplicate members, are left out and reported on the diagnostics channel
 * `busbar:problem`. A further method of the same name with other arguments is kept by name and signature. Several
 * complete types in one argument of a signal or result become several arguments.
 *
 * @throws {@link InvalidArgumentError} if the text is not XML, exceeds a limit (length, depth, 300 000 elements and
 * attributes or more where `maximumLength` is larger, 1000 attributes of an element, 1000 elements that cannot be used,
 * 1000 entities that are not XML's own), or has another root than `<node>`
 */
export function parseIntrospection(xml: string, options: ParseIntrospectionOptions = {}): NodeDescription {
  parseOptions.check(options);
  return atOnce(parseWork(xml, options));
}

/**
 * As {@link parseIntrospection}, for data that a peer sent. The event loop runs in between.
 *
 * @param origin the origin of the data
 * @throws (rejects) as `parseIntrospection` throws
 */
export function parseReceivedIntrospection(xml: string, origin?: string): Promise<NodeDescription> {
  return inSlices(parseWork(xml, { origin }));
}

function* parseWork(xml: string, options: ParseIntrospectionOptions): Work<NodeDescription> {
  const documentation = options.documentation === true ? new DocumentationReader() : undefined;
  const limits = {
    maximumLength: options.maximumLength ?? LENGTH_MAXIMUM,
    maximumDepth: options.maximumDepth ?? DEPTH_MAXIMUM,
  };
  const root = yield* readXml(xml, limits, documentation);
  if (root.name !== 'node') {
    throw new InvalidArgumentError(`the root of introspection data is <node>, not <${root.name.slice(0, 100)}>`);
  }
  return yield* new IntrospectionReader(options.origin, documentation).root(root);
}

/** Reads elements. An error in an element is thrown, and caught where the element can be left out. */
class IntrospectionReader {
  readonly #origin: string;
  readonly #documentation: DocumentationReader | undefined;
  #unusable = 0;
  #elements = 0;

  constructor(origin: string | undefined, documentation: DocumentationReader | undefined) {
    this.#documentation = documentation;
    this.#origin = origin === undefined ? 'introspection data' : `introspection data of ${origin}`;
  }

  *root(element: XmlElement): Work<NodeDescription> {
    const path = element.attributes.get('name');
    // An invalid name is ignored: the caller knows the path.
    if (path !== undefined && path !== '') this.#attempt(element, () => checkObjectPath(path));
    return yield* this.#node(element, path !== undefined && isObjectPath(path) ? path : undefined);
  }

  *#node(element: XmlElement, path: string | undefined): Work<NodeDescription> {
    const interfaces = new Map<string, InterfaceDescription>();
    const children = new Map<string, NodeDescription>();
    for (const child of element.children) {
      if (this.#mayRest()) yield;
      try {
        if (child.name === 'interface') add(interfaces, yield* this.#interface(child));
        else if (child.name === 'node') yield* this.#child(child, children);
      } catch (error) {
        this.#leaveOut(child, error);
      }
    }
    return { path, interfaces, children };
  }

  /** Whether to yield now. Not for every element, because a yield passes through all levels of nodes. */
  #mayRest(): boolean {
    return (++this.#elements & (ELEMENTS_A_REST - 1)) === 0;
  }

  /** One part of a service may list a child, and another describe it. The first description counts. */
  *#child(element: XmlElement, children: Map<string, NodeDescription>): Work<void> {
    const name = attribute(element, 'name');
    if (name === '' || name.startsWith('/')) throw new InvalidArgumentError('the name of a child is a relative path');
    checkObjectPath(`/${name}`, 'path');
    const known = children.get(name);
    if (known === undefined || isEmpty(known)) children.set(name, yield* this.#node(element, undefined));
    else throw new InvalidArgumentError('it is described twice');
  }

  *#interface(element: XmlElement): Work<InterfaceDescription> {
    const name = attribute(element, 'name');
    checkInterfaceName(name);
    const annotations = this.#annotations(element);
    const emits = defaultEmits(annotations);
    const methods = new Map<string, MethodDescription>();
    const signals = new Map<string, SignalDescription>();
    const properties = new Map<string, PropertyDescription>();
    for (const child of element.children) {
      if (this.#mayRest()) yield;
      this.#attempt(child, () => {
        if (child.name === 'method') addMethod(methods, this.#method(child));
        else if (child.name === 'signal') add(signals, this.#signal(child));
        else if (child.name === 'property') add(properties, this.#property(child, emits));
      });
    }
    return { name, methods, signals, properties, annotations: withoutDocs(annotations), ...readDocs(annotations) };
  }

  #method(element: XmlElement): MethodDescription {
    const name = attribute(element, 'name');
    checkMemberName(name);
    const args = argumentsOf(element);
    const inArgs = args.filter((arg) => direction(arg) === 'in').map((arg) => this.#argument(arg));
    const outArgs = args.filter((arg) => direction(arg) === 'out').flatMap((arg) => this.#results(arg));
    const annotations = this.#annotations(element);
    const { deprecated = false, noReply = false } = readFields(annotations);
    return {
      name,
      ...readDocs(annotations),
      in: inArgs,
      out: outArgs,
      inSignature: concatenate(inArgs),
      outSignature: concatenate(outArgs),
      annotations: withoutFields(annotations),
      deprecated,
      noReply,
    };
  }

  /** "Signals only allow out so while direction may be specified, it's pointless." */
  #signal(element: XmlElement): SignalDescription {
    const name = attribute(element, 'name');
    checkMemberName(name);
    const args = argumentsOf(element).flatMap((arg) => this.#results(arg));
    const annotations = this.#annotations(element);
    const { deprecated = false } = readFields(annotations);
    const docs = readDocs(annotations);
    return { name, args, signature: concatenate(args), annotations: withoutFields(annotations), ...docs, deprecated };
  }

  #property(element: XmlElement, assumedEmits: EmitsChanged): PropertyDescription {
    const name = attribute(element, 'name');
    if (name === '') throw new InvalidArgumentError('its name is empty');
    const { signature } = parseSingle(attribute(element, 'type'));
    const access = readAccess(attribute(element, 'access'));
    const annotations = this.#annotations(element);
    const { deprecated = false, emits = assumedEmits } = readFields(annotations);
    const docs = readDocs(annotations);
    return { name, signature, access, emits, annotations: withoutFields(annotations), ...docs, deprecated };
  }

  #argument(element: XmlElement): ArgumentDescription {
    const { signature } = parseSingle(attribute(element, 'type'));
    return this.#described(element, signature);
  }

  /**
   * Arguments that an object sends. Each has one type, but some services write several types in one (`sa{ii}` in
   * Tracker 3), and send values of these types.
   */
  #results(element: XmlElement): readonly ArgumentDescription[] {
    const types = parseSignature(attribute(element, 'type'));
    if (types.length <= 1) return [this.#argument(element)];
    return types.map(({ signature }) => this.#described(element, signature));
  }

  #described(element: XmlElement, signature: string): ArgumentDescription {
    const name = element.attributes.get('name') || undefined;
    const all = this.#annotations(element);
    if (all.size === 0) return { name, signature };
    const annotations = withoutDocs(all);
    return { name, signature, ...readDocs(all), ...(annotations.size > 0 && { annotations }) };
  }

  #annotations(element: XmlElement): Annotations {
    const annotations = new Map<string, string>();
    let count = 0;
    for (const child of element.children) {
      if (child.name !== 'annotation') continue;
      if (++count > ANNOTATIONS_MAXIMUM) {
        throw new InvalidArgumentError(`it has more than ${ANNOTATIONS_MAXIMUM} annotations`);
      }
      this.#attempt(child, () => {
        const name = attribute(child, 'name');
        const value = attribute(child, 'value');
        if (annotations.has(name)) throw new InvalidArgumentError('it is given twice');
        checkAnnotation(name, value);
        annotations.set(name, value);
      });
    }
    const docs = this.#documentation?.textOf(element);
    if (docs !== undefined && readDocs(annotations).docs === undefined) annotations.set(DOC_STRING, docs);
    return annotations;
  }

  /** Reads an element that can be left out. Returns `undefined` if it must be. */
  #attempt<T>(element: XmlElement, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#leaveOut(element, error);
      return undefined;
    }
  }

  /** Reports why an element cannot be used. Throws errors that concern the whole document. */
  #leaveOut(element: XmlElement, error: unknown): void {
    if (!(error instanceof InvalidArgumentError) || this.#unusable > UNUSABLE_MAXIMUM) throw error;
    if (++this.#unusable > UNUSABLE_MAXIMUM) {
      throw new InvalidArgumentError(`${this.#origin} has more than ${UNUSABLE_MAXIMUM} elements that cannot be used`);
    }
    const name = element.attributes.get('name');
    const what = name === undefined ? `<${element.name}>` : `<${element.name} name=${quoted(name)}>`;
    report('introspection', `${this.#origin}, line ${element.line}: ${what} cannot be used: ${error.message}`);
  }
}

function attribute(element: XmlElement, name: string): string {
  const value = element.attributes.get(name);
  if (value === undefined) throw new InvalidArgumentError(`<${element.name}> has no ${name}`);
  return value;
}

/** The arguments of a method or signal. A signature of 255 bytes has no more in either direction. */
function argumentsOf({ children }: XmlElement): readonly XmlElement[] {
  const args = children.filter((child) => child.name === 'arg');
  if (args.length <= 2 * SIGNATURE_BYTES_MAXIMUM) return args;
  throw new InvalidArgumentError(`it has ${args.length} arguments: signatures have at most 255 bytes`);
}

function direction(element: XmlElement): 'in' | 'out' {
  const value = element.attributes.get('direction') ?? 'in';
  if (value === 'in' || value === 'out') return value;
  throw new InvalidArgumentError(`the direction of an argument is in or out, not ${quoted(value)}`);
}

function readAccess(value: string): Access {
  if (value === 'read' || value === 'write' || value === 'readwrite') return value;
  throw new InvalidArgumentError(`access is read, write or readwrite, not ${quoted(value)}`);
}

/** Each argument may be valid while all of them together are too long for the signature of a message. */
function concatenate(args: readonly ArgumentDescription[]): string {
  const signature = args.map((arg) => arg.signature).join('');
  parseSignature(signature);
  return signature;
}

function isEmpty({ interfaces, children }: NodeDescription): boolean {
  return interfaces.size === 0 && children.size === 0;
}

function add<T extends { readonly name: string }>(described: Map<string, T>, description: T): void {
  if (described.has(description.name)) throw new InvalidArgumentError('it is described twice');
  described.set(description.name, description);
}

/** D-Bus has no overloading, but some services overload methods (QtDBus does it for default arguments). */
function addMethod(methods: Map<string, MethodDescription>, method: MethodDescription): void {
  const first = methods.get(method.name);
  const overload = `${method.name}(${method.inSignature})`;
  if (first === undefined) methods.set(method.name, method);
  else if (first.inSignature !== method.inSignature && !methods.has(overload)) methods.set(overload, method);
  else throw new InvalidArgumentError('it is described twice');
}
