/**
 * The member types that a proxy's type is made from: `class-member-types.ts` has those of a class,
 * `defined-member-types.ts` those of a definition.
 */

/** The members of an interface as types, from any kind of description. */
export interface MemberTypes {
  /** Functions as a client calls them. */
  readonly methods: object;
  /** The arguments of each signal, as a tuple. */
  readonly signals: object;
  /** The types of readable properties. */
  readonly readable: object;
  /** The types that writable properties accept. */
  readonly writable: object;
}
