/** What a proxy's type is made from: `class-member-types.ts` has it of a class, `defined-member-types.ts` of a definition. */

/** The members of an interface as types, whatever it was described by. */
export interface MemberTypes {
  /** Functions as a client calls them. */
  readonly methods: object;
  /** The tuple of arguments of each signal. */
  readonly signals: object;
  /** The type of each property that can be read. */
  readonly readable: object;
  /** The type that each property that can be written is written from. */
  readonly writable: object;
}
