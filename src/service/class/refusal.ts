/**
 * The type of a decorator's second parameter if the member cannot be decorated: a text that says what to write, which
 * the compiler's error then contains. `decoration.ts` refuses the same at run time.
 */
import type { ServiceInterface } from './service-interface.js';

declare const expected: unique symbol;

/** A type that no value fits, with the remedy and the expected type. */
export interface Misfit<Cure extends string, Expected> {
  readonly cure: Cure;
  readonly [expected]: Expected;
}

export type IsAny<T> = 0 extends 1 & T ? true : false;

/**
 * The second parameter of a decorator that was written without parentheses. It has a name because the compiler tries
 * overloads with literal parameters first, and reports the error of the last.
 */
export type NoParentheses<Written extends string> = `write ${Written}`;

/** The result type of a decorator that was called without its options. The compiler says that it cannot be called. */
export interface NoOptions<Cure extends string> {
  readonly cure: Cure;
}

/**
 * The result type of a decorator that was written wrongly. It may decorate anything, so that the useful error is the
 * only one.
 */
// biome-ignore lint/suspicious/noExplicitAny: nothing else is both called and taken for what a decorator returns
export type RefusedDecorator = any;

/** The first of two reasons; `never` means that there is none. */
export type First<A, B> = [A] extends [never] ? B : A;

/** A decorator's second parameter: any type, or the reason why the member is refused. */
export type Unless<Reason, Second> = [Reason] extends [never] ? Second : Reason;

/** Whether a signature, or one of a list, is only known as `string`, so that nothing is known of the values. */
export type IsUnknown<A extends string | readonly string[]> = A extends string
  ? string extends A
    ? true
    : false
  : string extends A[number & keyof A]
    ? true
    : false;

/** The context of a standard decorator, whatever the kind of the member. */
export interface StandardContext {
  readonly kind: string;
  readonly name: string | symbol;
  readonly static: boolean;
  readonly private: boolean;
}

/** The name of the member in the class, from either dialect's second argument. */
export type KeyOf<Second> = Second extends StandardContext ? Second['name'] : Second;

/** The instances of the class of the member. */
export type InstanceOf<Target, Second> = Second extends StandardContext ? ThisOf<Second> : Target;

type ThisOf<Context> =
  Context extends ClassMethodDecoratorContext<infer This, infer _F>
    ? This
    : Context extends ClassAccessorDecoratorContext<infer This, infer _V>
      ? This
      : Context extends ClassGetterDecoratorContext<infer This, infer _V>
        ? This
        : Context extends ClassSetterDecoratorContext<infer This, infer _V>
          ? This
          : Context extends ClassFieldDecoratorContext<infer This, infer _V>
            ? This
            : unknown;

/**
 * The reason why no member can be on D-Bus there: it is static or private, its name is a symbol, or its class is not a
 * service.
 */
export type PlaceRefusal<Target, Second> =
  IsAny<Second> extends true
    ? never
    : Second extends StandardContext
      ? Second extends { readonly static: true }
        ? 'a static member cannot be on D-Bus'
        : Second extends { readonly private: true }
          ? 'a #private member cannot be on D-Bus'
          : First<SymbolRefusal<Second['name']>, ClassRefusal<ThisOf<Second>>>
      : Target extends { readonly prototype: unknown }
        ? 'a static member cannot be on D-Bus'
        : First<SymbolRefusal<Second>, ClassRefusal<Target>>;

type SymbolRefusal<Key> = [Key] extends [symbol] ? 'a member named by a symbol cannot be on D-Bus' : never;

type ClassRefusal<Instance> =
  IsAny<Instance> extends true
    ? never
    : unknown extends Instance
      ? never
      : Instance extends ServiceInterface
        ? never
        : 'add "extends ServiceInterface" after the name of the class';
