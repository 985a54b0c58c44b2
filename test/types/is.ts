/** The assertions of the type tests. The script that runs them counts each use, and each `@ts-expect-error`. */

/** Whether two types are the same, with `any` and `unknown` distinguished. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for a type that is `true`. */
export declare function is<_Assertion extends true>(): void;
