/** The compile-time checks of `@property`: they compare the type of the member's value with its signature. */
import type { Access, EmitsChanged } from '../../interface/description.js';
import type { ReadValue, ReadValueAs, ValidType, VariantChoice, WriteValue } from '../../signature/types.js';
import type { First, IsAny, IsUnknown, Misfit, PlaceRefusal, StandardContext } from './refusal.js';
import type { IsServiceOnly } from './service-interface.js';
import type { Keeps, TakesValue } from './shared-values.js';

/** The options of `@property`: the signature, the access and `emits`; `undefined` for those left out. */
interface Told {
  readonly type: string;
  readonly access: Access | undefined;
  readonly emits: EmitsChanged | undefined;
  readonly variants: VariantChoice;
}

/** The reason why `@property` refuses a member; `never` if it accepts it. */
export type PropertyRefusal<Target, Second, Descriptor, P extends Told> = First<
  PlaceRefusal<Target, Second>,
  // An invalid signature is refused where it is written.
  true extends IsAny<Second> | (P['type'] extends ValidType<P['type']> ? false : true)
    ? never
    : Second extends StandardContext
      ? StandardRefusal<Second, P>
      : LegacyRefusal<Target, Second, Descriptor, P>
>;

type StandardRefusal<Context extends StandardContext, P extends Told> =
  Context extends ClassAccessorDecoratorContext<infer This, infer V>
    ? HeldRefusal<V, P, P['access'] extends Access ? P['access'] : 'readwrite', IsServiceOnly<This>>
    : Context extends ClassGetterDecoratorContext<infer This, infer V>
      ? P['access'] extends 'write'
        ? 'it has a getter: set "access" to "read", or leave it out'
        : IsReadonly<This, Context['name']> extends true
          ? P['access'] extends 'readwrite'
            ? 'it has no setter: set "access" to "read", or leave it out'
            : HeldRefusal<Awaited<V>, P, 'read', IsServiceOnly<This>>
          : First<
              ConstantRefusal<P, P['access'] extends Access ? P['access'] : 'readwrite'>,
              ReadRefusal<Awaited<V>, P, IsServiceOnly<This>>
            >
      : Context extends ClassSetterDecoratorContext<infer This, infer V>
        ? First<HeldRefusal<V, P, 'write', IsServiceOnly<This>>, BesideRefusal<This, Context['name'], P>>
        : Context extends ClassFieldDecoratorContext<infer _This, infer _V>
          ? `write "accessor ${Context['name'] & string}", because assignments to a field cannot be noticed`
          : NoProperty<Context['name']>;

/**
 * The reason why the value of a getter beside the decorated setter cannot be read. A setter alone has the type of its
 * parameter.
 */
type BesideRefusal<This, Name, P extends Told> = P['access'] extends 'write'
  ? never
  : Name extends keyof This
    ? ReadRefusal<Awaited<This[Name]>, P, IsServiceOnly<This>>
    : never;

type LegacyRefusal<Target, Key, Descriptor, P extends Told> = Key extends keyof Target
  ? Target[Key] extends infer V
    ? IsFunction<V> extends true
      ? NoProperty<Key>
      : IsReadonly<Target, Key> extends true
        ? P['access'] extends 'readwrite' | 'write'
          ? 'it has no setter: set "access" to "read", or leave it out'
          : HeldRefusal<Awaited<V>, P, 'read', IsServiceOnly<Target>>
        : HeldRefusal<
            Descriptor extends TypedPropertyDescriptor<infer _V> ? Awaited<V> : V,
            P,
            P['access'] extends Access ? P['access'] : 'readwrite',
            IsServiceOnly<Target>
          >
    : never
  : 'make it public: clients use it';

type NoProperty<Key> = `a method is not a property: write "get ${Key & string}()", or @method`;

type IsFunction<V> = IsAny<V> extends true ? false : V extends (...args: never) => unknown ? true : false;

/** The first reason that the access is concerned with. */
type HeldRefusal<V, P extends Told, A extends Access, Only extends boolean> = First<
  ConstantRefusal<P, A>,
  A extends 'read'
    ? ReadRefusal<V, P, Only>
    : A extends 'write'
      ? First<WriteRefusal<V, P>, Only extends true ? never : SettableRefusal<V, P>>
      : First<ReadRefusal<V, P, Only>, WriteRefusal<V, P>>
>;

type ConstantRefusal<P extends Told, A extends Access> = P['emits'] extends 'const'
  ? A extends 'read'
    ? never
    : '"emits" is "const", but clients can set it: set "access" to "read"'
  : never;

/**
 * The reason why the value cannot be sent, or, for a class that clients share, would not be read with the declared
 * type.
 */
type ReadRefusal<V, P extends Told, Only extends boolean> = true extends IsAny<V> | IsUnknown<P['type']>
  ? never
  : [V] extends [WriteValue<P['type']>]
    ? [Only] extends [true]
      ? never
      : Keeps<ReadValue<P['type']>, V> extends true
        ? never
        : Misfit<
            'clients read it as another type: declare that one, or extend ServiceInterface<"service-only">',
            ReadValue<P['type']>
          >
    : Misfit<`its value cannot be sent as "${P['type']}": declare`, ReadValue<P['type']>>;

/** The reason why it cannot accept the values that clients set. */
type WriteRefusal<V, P extends Told> =
  IsUnknown<P['type']> extends true
    ? never
    : TakesSet<ReadValueAs<P['type'], P['variants']>, V> extends true
      ? never
      : Misfit<
          `it does not accept the values that clients set as "${P['type']}": declare`,
          ReadValueAs<P['type'], P['variants']>
        >;

type TakesSet<Set, V> = [Set] extends [V] ? TakesValue<Set, V> : false;

/** The reason why clients could set a value that cannot be sent. */
type SettableRefusal<V, P extends Told> = [V] extends [WriteValue<P['type']>]
  ? never
  : Misfit<`it accepts values that clients cannot send as "${P['type']}": declare`, ReadValue<P['type']>>;

/** Whether a member cannot be assigned. Types that differ only in `readonly` can only be told apart as bounds. */
export type IsReadonly<T, Name> = Name extends keyof T ? IsReadonlyMember<T, Name> : false;

type IsReadonlyMember<T, Name extends keyof T> =
  Same<{ [K in Name]: T[K] }, { -readonly [K in Name]: T[K] }> extends true ? false : true;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
