/**
 * The members of an interface as a client uses them, from the class that implements it.
 *
 * The type of a class member gives its kind: a function is a method, a function that returns `Emits<…>` is a
 * signal, and anything else is a property, which has no `set` if it has no setter. Types cannot see decorators, so a
 * public function without a decorator looks like a method. Make it `protected` or `private` to keep it off the proxy.
 * The decorators check that the types are right.
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
 * The members of a class, with values read as `D` says. Names are mapped from the names in the class, so that editors
 * find them. Editors lose renamed members, so those are mapped apart.
 */
export interface ClassMemberTypes<T, D extends Reading> extends MemberTypes {
  readonly methods: {
    readonly [Name in keyof T as NameOf<T, Name, 'method'>]: Called<T[Name], D>;
  } & { readonly [Name in keyof T & CalledByItself as Renamed<T, Name, 'method'>]: Called<T[Name], D> };
  /** The arguments of each signal, as a tuple. */
  readonly signals: {
    readonly [Name in keyof T as NameOf<T, Name, 'signal'>]: ReceivedIn<SignalArguments<T[Name]>, D>;
  } & {
    readonly [Name in keyof T & CalledByItself as Renamed<T, Name, 'signal'>]: ReceivedIn<SignalArguments<T[Name]>, D>;
  };
  /** The types of readable properties. */
  readonly readable: {
    readonly [Name in keyof T as NameOf<T, Name, 'property'>]: ReceivedIn<Awaited<T[Name]>, D>;
  } & {
    readonly [Name in keyof T & CalledByItself as Renamed<T, Name, 'property'>]: ReceivedIn<Awaited<T[Name]>, D>;
  };
  /** The types that writable properties accept. */
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

/** A union of the types that a value may have, where it may be read in several ways. */
type ReceivedIn<T, D extends Reading> = D extends Reading ? Received<T, D> : never;

type Kind = 'method' | 'signal' | 'property';

/** The name itself if it is that of a member of this kind which the class adds to `ServiceInterface`. */
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

/** A method as a client calls it: without the context, and with a promise of the result. */
type Called<F, D extends Reading> = F extends (...args: infer Parameters) => infer Result
  ? (...args: Extract<Sent<WithoutContext<Parameters>>, readonly unknown[]>) => Promise<ReceivedIn<Awaited<Result>, D>>
  : never;

type Sent<Parameters extends readonly unknown[]> = { [Index in keyof Parameters]: Written<Parameters[Index]> };
