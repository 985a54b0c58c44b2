/**
 * Converts the annotations that have fields in descriptions between introspection data and those fields. All other
 * annotations are kept as they are.
 *
 * @see D-Bus specification, section "Introspection Data Format"
 */
import { InvalidArgumentError } from '../base/errors.js';
import { quoted } from '../base/names.js';
import type { Annotations, EmitsChanged } from './description.js';

const DEPRECATED = 'org.freedesktop.DBus.Deprecated';
const NO_REPLY = 'org.freedesktop.DBus.Method.NoReply';
/** The documentation of an element, as gdbus-codegen reads it and GLib's `gdbus introspect` shows it. */
export const DOC_STRING = 'org.gtk.GDBus.DocString';
const EMITS_CHANGED_SIGNAL = 'org.freedesktop.DBus.Property.EmitsChangedSignal';

const emitsByValue: Readonly<Record<string, EmitsChanged>> = {
  true: true,
  invalidates: 'invalidates',
  const: 'const',
  false: false,
};

/** The fields of a member's description that stand for annotations. The kind of member decides which it has. */
export interface AnnotatedFields {
  readonly docs?: string;
  readonly deprecated?: boolean;
  readonly noReply?: boolean;
  readonly emits?: EmitsChanged;
}

/**
 * The value of an interface's annotation, which applies to properties without an annotation of their own.
 *
 * @throws {@link InvalidArgumentError} if the specification does not define the value
 */
export function defaultEmits(annotations: Annotations): EmitsChanged {
  const value = annotations.get(EMITS_CHANGED_SIGNAL);
  return value === undefined ? true : readEmits(value);
}

/**
 * The fields for a member's annotations.
 *
 * @throws {@link InvalidArgumentError} if the specification does not define the value
 */
export function readFields(annotations: Annotations): AnnotatedFields {
  const emits = annotations.get(EMITS_CHANGED_SIGNAL);
  return {
    deprecated: annotations.get(DEPRECATED) === 'true',
    noReply: annotations.get(NO_REPLY) === 'true',
    ...readDocs(annotations),
    ...(emits === undefined ? {} : { emits: readEmits(emits) }),
  };
}

/** The field for the documentation of any element, if it has any. */
export function readDocs(annotations: Annotations): { readonly docs?: string } {
  const docs = annotations.get(DOC_STRING);
  return docs === undefined ? {} : { docs };
}

/** The annotations of an interface or argument, whose only field is the documentation. */
export function withoutDocs(annotations: Annotations): Annotations {
  return annotations.has(DOC_STRING) ? new Map([...annotations].filter(([name]) => name !== DOC_STRING)) : annotations;
}

const FIELDS: readonly string[] = [DOC_STRING, DEPRECATED, NO_REPLY, EMITS_CHANGED_SIGNAL];

/** The annotations that have no field. */
export function withoutFields(annotations: Annotations): Annotations {
  return new Map([...annotations].filter(([name]) => !FIELDS.includes(name)));
}

/**
 * The annotations of a member: those of its fields that differ from the default, and the others.
 *
 * @param assumedEmits the interface's default for its properties
 */
export function writeFields(
  fields: AnnotatedFields,
  others: Annotations,
  assumedEmits: EmitsChanged = true,
): Annotations {
  const written = new Map<string, string>();
  if (fields.docs !== undefined) written.set(DOC_STRING, fields.docs);
  if (fields.deprecated) written.set(DEPRECATED, 'true');
  if (fields.noReply) written.set(NO_REPLY, 'true');
  if (fields.emits !== undefined && fields.emits !== assumedEmits)
    written.set(EMITS_CHANGED_SIGNAL, String(fields.emits));
  return new Map([...written, ...others]);
}

/**
 * Refuses a value that the specification does not define, for annotations that have fields.
 *
 * @throws {@link InvalidArgumentError}
 */
export function checkAnnotation(name: string, value: string): void {
  if (name === EMITS_CHANGED_SIGNAL) readEmits(value);
}

function readEmits(value: string): EmitsChanged {
  if (Object.hasOwn(emitsByValue, value)) return emitsByValue[value] as EmitsChanged;
  throw new InvalidArgumentError(`EmitsChangedSignal cannot be ${quoted(value)}`);
}
