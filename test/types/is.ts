/** What the type tests assert with. The script that runs them counts each use, and each `@ts-expect-error`. */

/** Whether two types are the same, `any` and `unknown` told apart. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for a type that is `true`. */
export declare function is<_Assertion extends true>(): void;
