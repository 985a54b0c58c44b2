/**
 * What is written by hand about a family of interfaces: names, constants, documentation, and the types that introspection
 * data cannot tell. `generate/` joins it with the recorded data.
 */

/** A type that is more precise than its signature. */
export type PreciseType =
  /** The result of `dict()`, `arrayOf()` or `structOf()`, without the name of an argument. */
  | string
  /** The texts that a value may be. */
  | readonly string[];

/** Numbers that a service gives names in its documentation. */
interface Numbers {
  readonly docs: string;
  readonly values: Readonly<Record<string, number>>;
}

export interface Family {
  /** What the interfaces are of, for the opening comment: `BlueZ, the Bluetooth daemon (system bus)`. */
  readonly title: string;
  /** What precedes the names of the interfaces. */
  readonly prefix: string;
  /** Exported names of interfaces that do not follow from the rule: the elements after the prefix, without a final 1. */
  readonly names?: Readonly<Record<string, string>>;
  /** Exported texts, with their documentation. */
  readonly constants: Readonly<Record<string, readonly [value: string, docs: string]>>;
  readonly numbers?: Readonly<Record<string, Numbers>>;
  /** By `Interface`, `Interface.Member` or `Interface.Member.argument`. */
  readonly docs?: Readonly<Record<string, string>>;
  /** By `Interface.Property` or `Interface.Member.argument`; `*.argument` is every argument of that name and signature. */
  readonly types?: Readonly<Record<string, PreciseType>>;
  /** Names of arguments that have none, in order, by `Interface.Member`. */
  readonly argumentNames?: Readonly<Record<string, readonly string[]>>;
  /** Where the recorded program differs from the specification of the interface: the recorded type, and the right one. */
  readonly corrections?: Readonly<Record<string, { readonly recorded: string; readonly signature: string }>>;
  /** The announcement of changes, where the specification says more than the recorded program, by `Interface.Property`. */
  readonly emits?: Readonly<Record<string, 'const' | 'invalidates' | false>>;
}
