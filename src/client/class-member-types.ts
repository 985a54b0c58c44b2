/**
 * The members of an interface from the class that implements it, as a client uses them.
 *
 * The members' own types tell what they are: a function is a method, one that returns `Emits<…>` is a signal, anything else
 * is a property, without `set` if it has no setter. Decorators are invisible to types, so a public function without a
 * decorator cannot be told from a method; make it `protected` or `private` to keep it off the proxy. That the types are
 * right, the decorators see to.
 */
import type { Callable, CalledByItself } from '../base/called-by-itself.js';
import type { WithoutContext } from '../service/class/context-parameter.js';
import type { SignalArguments } from '../service/class/emits.js';
import type { IsReadonly } from '../service/class/property-refusal.js';
import type { ServiceInterface } from '../service/class/service-interface.js';
import type { Received, Written } from '../service/class/shared-values.js';
import type { Reading } from '../signature/types.js';
import type { MemberTypes } from './member-types.js';

/**
 * The members of a class, where values are read in that way. Names are mapped from the class's own, for editors to find: they
 * lose what is renamed, so that stands apart.
 */
export interface ClassMemberTypes<T, D extends Reading> extends MemberTypes {
  /** Functions as a client calls them. */
  readonly methods: {
    readonly [Name in keyof T as NameOf<T, Name, 'method'>]: Called<T[Name], D>;
  } & { readonly [Name in keyof T & CalledByItself as Renamed<T, Name, 'method'>]: Called<T[Name], D> };
  /** The tuple of arguments of each signal. */
  readonly signals: {
    readonly [Name in keyof T as NameOf<T, Name, 'signal'>]: ReceivedIn<SignalArguments<T[Name]>, D>;
  } & {
    readonly [Name in keyof T & CalledByItself as Renamed<T, Name, 'signal'>]: ReceivedIn<SignalArguments<T[Name]>, D>;
  };
  /** The type of each property that can be read. */
  readonly readable: {
    readonly [Name in keyof T as NameOf<T, Name, 'property'>]: ReceivedIn<Awaited<T[Name]>, D>;
  } & {
    readonly [Name in keyof T & CalledByItself as Renamed<T, Name, 'property'>]: ReceivedIn<Awaited<T[Name]>, D>;
  };
  /** The type that each property that can be written is written from. */
  readonly writable: {
    readonly [Name in keyof T as IsReadonly<T, Name> extends true ? never : NameOf<T, Name, 'property'>]: Written<
      Awaited<T[Name]>
    >;
  } & {
    readonly [Name in keyof T & CalledByItself as IsReadonly<T, Name> extends true
      ? never
      : Renamed<T, Name, 'property'>]: Written<Awaited<T[Name]>>;
  };
}

/** Where values may be read in several ways, what is received is one of several types. */
type ReceivedIn<T, D extends Reading> = D extends Reading ? Received<T, D> : never;

type Kind = 'method' | 'signal' | 'property';

/** The name itself if it is that of a member of this kind, which the class adds to `ServiceInterface`. */
type NameOf<T, Name extends keyof T, K extends Kind> = Name extends string
  ? Name extends keyof ServiceInterface | CalledByItself
    ? never
    : KindOf<T[Name]> extends K
      ? Name
      : never
  : never;

type Renamed<T, Name extends keyof T & CalledByItself, K extends Kind> =
  KindOf<T[Name]> extends K ? Callable<Name> : never;

type KindOf<Value> = 0 extends 1 & Value
  ? 'property'
  : Value extends (...args: never) => unknown
    ? [SignalArguments<Value>] extends [never]
      ? 'method'
      : 'signal'
    : 'property';

/** A method as it is called from elsewhere: without the context, and with a promise of the result. */
type Called<F, D extends Reading> = F extends (...args: infer Parameters) => infer Result
  ? (...args: Extract<Sent<WithoutContext<Parameters>>, readonly unknown[]>) => Promise<ReceivedIn<Awaited<Result>, D>>
  : never;

type Sent<Parameters extends readonly unknown[]> = { [Index in keyof Parameters]: Written<Parameters[Index]> };
