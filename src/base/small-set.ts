/** A set that seldom has more than one member, and takes no memory of its own for one. */
export class SmallSet<Member extends object> {
  #one: Member | undefined;
  #others: Set<Member> | undefined;

  get size(): number {
    return Number(this.#one !== undefined) + (this.#others?.size ?? 0);
  }

  /** The member, if there is exactly one: quicker than to iterate. */
  get only(): Member | undefined {
    return this.#others === undefined ? this.#one : undefined;
  }

  add(member: Member): void {
    if (member === this.#one) return;
    if (this.#one === undefined && this.#others === undefined) {
      this.#one = member;
      return;
    }
    this.#others ??= new Set();
    this.#others.add(member);
  }

  /** Returns whether it was a member. */
  delete(member: Member): boolean {
    if (member === this.#one) {
      this.#one = undefined;
      return true;
    }
    if (this.#others?.delete(member) !== true) return false;
    if (this.#others.size === 0) this.#others = undefined;
    return true;
  }

  clear(): void {
    this.#one = undefined;
    this.#others = undefined;
  }

  /** The members in the order in which they were added. Members that are added meanwhile may be left out. */
  *[Symbol.iterator](): Generator<Member> {
    if (this.#one !== undefined) yield this.#one;
    if (this.#others !== undefined) yield* this.#others;
  }
}
