/** `@property`: makes an accessor, a getter and setter, or a plain field of the class a D-Bus property. */

import type { Access, EmitsChanged } from '../../interface/description.js';
import type { PropertyInput } from '../../interface/member-inputs.js';
import type { ValidType, VariantChoice } from '../../signature/types.js';
import type { HandlerOrder, RuleInput, ValueCheckOf } from '../permits/member-rules.js';
import type { PropertyPermissionsOf } from '../permits/permission.js';
import { checkOptions, decorated, type Given, type MemberOptions, refused, ruleOf } from './decoration.js';
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
> extends MemberOptions,
    HandlerOrder {
  /** The signature of one complete type. */
  readonly type: S & ValidType<S>;
  /** How clients may access it. By default what the getter and setter allow; `readwrite` for an accessor or a field. */
  readonly access?: A;
  /**
   * The announcement of a change: the new value (`true`, the default), only that the value has changed
   * (`'invalidates'`), nothing because it never changes (`'const'`), or nothing although it may change (`false`).
   */
  readonly emits?: E;
  /**
   * `'wrap'`: the property gets the variants in values that clients set as `Variant`. `'plain'` (the default): it gets
   * the values in them. `'keep'`: it gets the values in them, and parts that the class changes keep the types that were
   * set. In all cases, clients read the value that was set, including its types, until the property has
   * another value.
   */
  readonly variants?: W | undefined;
  /** Which callers may read and set it; by default those that the interface allows, or all. */
  readonly allow?: PropertyPermissionsOf<S, W> | undefined;
  /**
   * Which values it accepts. Of values that do not match the signature, it is not asked.
   *
   * @example
   * ```ts
   * @property({ type: 'u', check: (value) => value <= 100 })
   * accessor Level = 0;
   * ```
   */
  readonly check?: ValueCheckOf<S, W> | undefined;
}

/** The decorator that {@link property} returns, for both dialects. Its compile errors say what to change. */
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
 * Makes a D-Bus property of a member of a {@link ServiceInterface} class: an accessor (`accessor Name: string = ''`), a
 * getter with or without a setter, or, with TypeScript's `experimentalDecorators`, a plain field.
 *
 * Every assignment emits PropertiesChanged as `emits` says: by the class itself, by other code of the process, or by a
 * client over the bus. Changes within a tick are sent together, at the end of the tick or before the next message. If
 * the property has the same primitive value after the assignment as before, nothing is sent. An object always counts as
 * a change, because its content may be new. A value that changes without an assignment needs `emitPropertiesChanged`.
 *
 * Assigning a value of the wrong type to an accessor or field throws. The value of a getter (and of an `accessor` with
 * `experimentalDecorators`, which looks like one) is checked when it is read: if its type is wrong, it is left out of
 * messages and reported.
 *
 * A getter may return a promise. Proxies of the class have the property's type. So the compiler requires a type that is
 * read as it is declared (a `bigint` for `x`). See {@link ServiceInterface} for classes that clients do not share.
 *
 * If the value has variants, the class gets the plain values in them, and clients read the types that clients set: each
 * part of the value keeps the received type as long as it equals the received value. A value that the class assigns
 * instead is sent with its default type, or as the `Variant` that it is.
 *
 * @example
 * ```ts
 * @property({ type: 'a{ss}', access: 'readwrite' })
 * accessor TestProperty: Record<string, string> = {};
 * ```
 *
 * @throws {@link InvalidArgumentError} if the signature or name is invalid, when the class is defined
 * @see D-Bus specification, section "org.freedesktop.DBus.Properties"
 */
export function property<
  const S extends string,
  const A extends Access | undefined = undefined,
  const W extends VariantChoice = 'plain',
  const E extends EmitsChanged | undefined = undefined,
>(options: PropertyOptions<S, A, W, E>): DecoratesProperty<S, A, W, E>;
/** Refuses the decorator without options: the result cannot decorate anything. */
export function property(): NoOptions<'write @property({ type: … })'>;
/** Refuses the decorator without parentheses. */
export function property(
  decorated: unknown,
  context: NoParentheses<'@property({ type: … })'>,
  descriptor?: unknown,
): RefusedDecorator;
export function property(given?: unknown, ...rest: readonly unknown[]): RefusedDecorator {
  checkOptions('property', given, rest);
  const {
    name,
    disabled = false,
    access,
    allow,
    check,
    concurrency,
    queue,
    ...definition
  } = given as Given<PropertyInput & RuleInput>;
  return (...args: readonly unknown[]): void => {
    const { kind, key, leaveNote } = decorated('property', args);
    if (kind === 'method')
      throw refused('property', key, `a method is not a property: write "get ${key}()", or @method`);
    const member = {
      kind: 'property',
      key,
      name: name ?? key,
      disabled,
      access,
      definition,
      rule: ruleOf('property', key, name ?? key, { allow, check, concurrency, queue }),
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
