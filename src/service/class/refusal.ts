/**
 * What a decorator's second parameter is where a member cannot be what the decorator makes of it: a text that says what to
 * write, so that the compiler's error names the cure. `decoration.ts` refuses the same at run time.
 */
import type { ServiceInterface } from './service-interface.js';

declare const expected: unique symbol;

/** Nothing fits this: the cure, and the type that would fit. */
export interface Misfit<Cure extends string, Expected> {
  readonly cure: Cure;
  readonly [expected]: Expected;
}

export type IsAny<T> = 0 extends 1 & T ? true : false;

/**
 * The second parameter of a decorator that was written without parentheses. It has a name because overloads with literal
 * parameters come first to the compiler, which tells what is wrong with the last.
 */
export type NoParentheses<Written extends string> = `write ${Written}`;

/** What a decorator that was called without its options returns to the compiler, which says that it cannot be called. */
export interface NoOptions<Cure extends string> {
  readonly cure: Cure;
}

/**
 * What a decorator that was written wrongly returns to the compiler: it may decorate anything, lest the error that says what
 * is wrong comes behind another that says nothing.
 */
// biome-ignore lint/suspicious/noExplicitAny: nothing else is both called and taken for what a decorator returns
export type RefusedDecorator = any;

/** The first reason of several; `never` is none. */
export type First<A, B> = [A] extends [never] ? B : A;

/** A decorator's second parameter: whatever it is called with, or the reason why that is refused. */
export type Unless<Reason, Second> = [Reason] extends [never] ? Second : Reason;

/** Whether a signature, or one of a list, is only known as `string`: then nothing is known of the values. */
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

/** Why no member can be on D-Bus that stands there: static or private, named by a symbol, or in a class that is no service. */
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
        : 'write "extends ServiceInterface" behind the name of the class';
