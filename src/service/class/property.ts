/** `@property`: an accessor, a getter and setter, or a plain field of the class is a D-Bus property. */
import type { PropertyInput } from '../../interface/build.js';
import type { Access, EmitsChanged } from '../../interface/description.js';
import type { ValidType, VariantChoice } from '../../signature/types.js';
import { checkOptions, decorated, type Given, type MemberOptions, refused } from './decoration.js';
import { checkMember } from './member-check.js';
import { isStoredAs, noticeAssignments } from './noticing.js';
import { checkPropertyOverride } from './override-check.js';
import type { PropertyRefusal } from './property-refusal.js';
import type { NoOptions, NoParentheses, RefusedDecorator, Unless } from './refusal.js';

/** The options of {@link property}. */
export interface PropertyOptions<
  S extends string,
  A extends Access | undefined,
  W extends VariantChoice = 'plain',
  E extends EmitsChanged | undefined = EmitsChanged | undefined,
> extends MemberOptions {
  /** The signature of one complete type. */
  readonly type: S & ValidType<S>;
  /** What others may do. If left out: what the getter and setter allow; an accessor or a field is `readwrite`. */
  readonly access?: A;
  /**
   * What a change tells the world: `true` (if left out) the new value, `'invalidates'` only that there is one,
   * `'const'` nothing because it never changes, `false` nothing although it may.
   */
  readonly emits?: E;
  /**
   * `'wrap'`: the property gets the variants in what others set as `Variant`; `'plain'` (if left out): the values in
   * them. Either way, others read what they set, types included, until the property has another value.
   */
  readonly variants?: W | undefined;
}

/** The decorator that {@link property} makes, for both dialects. What it refuses, it refuses with the cure. */
export type DecoratesProperty<
  S extends string,
  A extends Access | undefined,
  W extends VariantChoice,
  E extends EmitsChanged | undefined,
> = <Target, Second, Descriptor>(
  target: Target,
  context: Unless<
    PropertyRefusal<
      Target,
      Second,
      Descriptor,
      { readonly type: S; readonly access: A; readonly emits: E; readonly variants: W }
    >,
    Second
  >,
  descriptor?: Descriptor,
) => void;

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
 * A getter may return a promise. Proxies of the class have the property's type: so the compiler wants one that is read as
 * it is declared (a `bigint` for `x`). See {@link ServiceInterface} for classes that no client shares.
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
  const A extends Access | undefined = undefined,
  const W extends VariantChoice = 'plain',
  const E extends EmitsChanged | undefined = undefined,
>(options: PropertyOptions<S, A, W, E>): DecoratesProperty<S, A, W, E>;
/** Refuses the decorator without options: what this returns decorates nothing. */
export function property(): NoOptions<'write @property({ type: … })'>;
/** Refuses the decorator without parentheses. */
export function property(
  decorated: unknown,
  context: NoParentheses<'@property({ type: … })'>,
  descriptor?: unknown,
): RefusedDecorator;
export function property(given?: unknown, ...rest: readonly unknown[]): RefusedDecorator {
  checkOptions('property', given, rest);
  const { name, disabled = false, access, ...definition } = given as Given<PropertyInput>;
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
      complete: (prototype: object, isOverride: boolean) => {
        if (isOverride && !disabled) checkPropertyOverride(prototype, key, access);
        noticeAssignments(prototype, key, isOverride ? 'pair' : kind);
      },
    } as const;
    checkMember(member);
    leaveNote(member);
  };
}
