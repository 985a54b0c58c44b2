/** `@property`: an accessor, a getter and setter, or a plain field of the class is a D-Bus property. */
import { PROPERTY_OPTIONS } from '../introspection/build.js';
import type { Access, EmitsChanged } from '../introspection/description.js';
import type { ReadValueAs, VariantChoice, WriteValue } from '../signature/types.js';
import { checkOptions, decorated, type MemberOptions, refused } from './decoration.js';
import type { ValidType } from './definitions.js';
import { checkMember } from './member-check.js';
import { isStoredAs, noticeAssignments } from './noticing.js';

/** The options of {@link property}. */
export interface PropertyOptions<S extends string, A extends Access, W extends VariantChoice = 'plain'>
  extends MemberOptions {
  /** The signature of one complete type. */
  readonly type: S & ValidType<S>;
  /** What others may do. If left out: what the getter and setter allow; an accessor or a field is `readwrite`. */
  readonly access?: A | undefined;
  /**
   * What a change tells the world: `true` (if left out) the new value, `'invalidates'` only that there is one,
   * `'const'` nothing because it never changes, `false` nothing although it may.
   */
  readonly emits?: EmitsChanged | undefined;
  /**
   * `'wrap'`: the property gets the variants in what others set as `Variant`; `'plain'` (if left out): the values in
   * them. Either way, others read what they set, types included, until the property has another value.
   */
  readonly variants?: W | undefined;
}

/** Nothing fits this: the property's type cannot be written to the bus by its signature, or not take what is read. */
interface PropertyMisfit<Reason extends string, Type> {
  readonly reason: Reason;
  readonly expected: Type;
  readonly never: never;
}

type Readable<S extends string, V> = [V] extends [WriteValue<S>]
  ? unknown
  : PropertyMisfit<`what the property holds cannot be sent as "${S}"`, WriteValue<S>>;

type Writable<S extends string, V, W extends VariantChoice> = [ReadValueAs<S, W>] extends [V]
  ? unknown
  : PropertyMisfit<`the property cannot take what others set as "${S}"`, ReadValueAs<S, W>>;

/** Both ways, as far as access asks for it. One reason at a time: two together would become `never`, which tells none. */
type Fits<S extends string, A extends Access, V, W extends VariantChoice> = [A] extends ['write']
  ? Writable<S, V, W>
  : [A] extends ['read']
    ? Readable<S, V>
    : [V] extends [WriteValue<S>]
      ? Writable<S, V, W>
      : Readable<S, V>;

/** A getter alone: whether there is a setter too, and of which type, is not known here. */
type GetterFits<S extends string, A extends Access, V> = [A] extends ['write']
  ? PropertyMisfit<'a write-only property has no getter', never>
  : Readable<S, V>;

/**
 * The decorator that {@link property} makes, for both dialects. The property's type must fit the signature. The compiler
 * tells what is wrong with the last overload, so the commonest comes last.
 */
export interface DecoratesProperty<S extends string, A extends Access, W extends VariantChoice = 'plain'> {
  /** TypeScript's `experimentalDecorators`: a public field, an accessor, or a getter and setter. */
  <T extends object, K extends keyof T>(prototype: T, key: K & Fits<S, A, T[K], W>, descriptor?: object): void;
  /** Standard decorators, a getter; its setter, if there is one, is found beside it. */
  <This, V>(value: (this: This) => V, context: ClassGetterDecoratorContext<This, V> & GetterFits<S, A, V>): void;
  /** Standard decorators, a setter without a getter. */
  <This, V>(
    value: (this: This, value: V) => void,
    context: ClassSetterDecoratorContext<This, V> & Fits<S, 'write', V, W>,
  ): void;
  /** Standard decorators, `accessor`. */
  <This, V>(
    value: ClassAccessorDecoratorTarget<This, V>,
    context: ClassAccessorDecoratorContext<This, V> & Fits<S, A, V, W>,
  ): void;
}

/**
 * Makes an accessor (`accessor Name: string = ''`), a getter with or without a setter, or, with TypeScript's
 * `experimentalDecorators`, a plain field of a {@link ServiceInterface} class a D-Bus property.
 *
 * Assigning emits PropertiesChanged as `emits` says, whoever assigns: the class itself, others in the process, or a
 * client over the bus. Changes with nothing sent between them leave together, at the end of the tick or
 * before what is sent next. If the property has the same primitive value after the assignment as before, nothing has
 * changed and nothing is sent; an object always counts as a change, for its content may be new. A value that changes by itself needs `emitPropertiesChanged`.
 *
 * A value that does not fit the signature is refused when it is assigned to an accessor or field: the assignment
 * throws. Behind a getter (and behind `accessor` with `experimentalDecorators`, which looks like one) it is found when it
 * is read: it is left out of what is sent, and reported.
 *
 * Where the value has variants, the class has the plain values in them, and others read the types that they set: each
 * part of the value keeps the type it came with for as long as it is equal to what came. What the class puts there
 * instead is sent as the type that goes without saying, or as the `Variant` it is.
 *
 * @example
 * ```ts
 * @property({ type: 'a{ss}', access: 'readwrite' })
 * accessor TestProperty: Record<string, string> = {};
 * ```
 *
 * @throws {@link InvalidArgumentError} for an invalid signature or name, when the class is defined
 * @see D-Bus specification, section "org.freedesktop.DBus.Properties"
 */
export function property<
  const S extends string,
  const A extends Access = 'readwrite',
  const W extends VariantChoice = 'plain',
>(options: PropertyOptions<S, A, W>, ...rest: readonly never[]): DecoratesProperty<S, A, W> {
  checkOptions('property', options, rest, PROPERTY_OPTIONS);
  const { name, disabled = false, access, ...definition } = options;
  return (...args: readonly unknown[]): void => {
    const { kind, key, leaveNote } = decorated('property', args);
    if (kind === 'method') throw refused('property', key, 'a method is no property');
    const member = {
      kind: 'property',
      key,
      name: name ?? key,
      disabled,
      access,
      definition,
      isStored: isStoredAs(kind),
      isField: kind === 'field',
      complete: (prototype: object, isOverride: boolean) =>
        noticeAssignments(prototype, key, isOverride ? 'pair' : kind),
    } as const;
    checkMember(member);
    leaveNote(member);
  };
}
