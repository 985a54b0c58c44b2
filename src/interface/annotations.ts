/**
 * The annotations that descriptions have fields for, in their two forms: names and values in introspection data, and
 * fields. All others are kept as they are.
 *
 * @see D-Bus specification, section "Introspection Data Format"
 */
import { InvalidArgumentError } from '../base/errors.js';
import { quoted } from '../base/names.js';
import type { Annotations, EmitsChanged } from './description.js';

const DEPRECATED = 'org.freedesktop.DBus.Deprecated';
const NO_REPLY = 'org.freedesktop.DBus.Method.NoReply';
const EMITS_CHANGED_SIGNAL = 'org.freedesktop.DBus.Property.EmitsChangedSignal';

const emitsByValue: Readonly<Record<string, EmitsChanged>> = {
  true: true,
  invalidates: 'invalidates',
  const: 'const',
  false: false,
};

/** The fields that a member's description has instead of annotations; which of them depends on the kind of member. */
export interface AnnotatedFields {
  readonly deprecated?: boolean;
  readonly noReply?: boolean;
  readonly emits?: EmitsChanged;
}

/**
 * What the annotations of an interface say of properties that say nothing themselves.
 *
 * @throws {@link InvalidArgumentError} for a value that the specification does not know
 */
export function defaultEmits(annotations: Annotations): EmitsChanged {
  const value = annotations.get(EMITS_CHANGED_SIGNAL);
  return value === undefined ? true : readEmits(value);
}

/**
 * The fields for a member's annotations.
 *
 * @throws {@link InvalidArgumentError} for a value that the specification does not know
 */
export function readFields(annotations: Annotations): AnnotatedFields {
  const emits = annotations.get(EMITS_CHANGED_SIGNAL);
  return {
    deprecated: annotations.get(DEPRECATED) === 'true',
    noReply: annotations.get(NO_REPLY) === 'true',
    ...(emits === undefined ? {} : { emits: readEmits(emits) }),
  };
}

/** The annotations that no field stands for. */
export function withoutFields(annotations: Annotations): Annotations {
  return new Map([...annotations].filter(([name]) => ![DEPRECATED, NO_REPLY, EMITS_CHANGED_SIGNAL].includes(name)));
}

/**
 * The annotations of a member: those of its fields, where they differ from what is assumed anyway, and the others.
 *
 * @param assumedEmits what the interface says of its properties
 */
export function writeFields(
  fields: AnnotatedFields,
  others: Annotations,
  assumedEmits: EmitsChanged = true,
): Annotations {
  const written = new Map<string, string>();
  if (fields.deprecated) written.set(DEPRECATED, 'true');
  if (fields.noReply) written.set(NO_REPLY, 'true');
  if (fields.emits !== undefined && fields.emits !== assumedEmits)
    written.set(EMITS_CHANGED_SIGNAL, String(fields.emits));
  return new Map([...written, ...others]);
}

/**
 * Refuses a value that the specification does not know, for annotations that descriptions have fields for.
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
