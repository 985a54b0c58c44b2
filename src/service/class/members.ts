/**
 * The members of a class that are on D-Bus. A decorator leaves a note about the member that it decorates. The members
 * of a class are collected from the notes along the prototype chain when they are first needed, so a subclass inherits
 * members and may override them.
 *
 * The two dialects differ in where a decorator can leave a note. A standard decorator does not know its class, only the
 * function that the prototype will have, so the note is on the function. A decorator of TypeScript's
 * `experimentalDecorators` knows the prototype, so the note is on the prototype, by key. Neither needs
 * `Symbol.metadata`, which no runtime has yet.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import type { Access } from '../../interface/description.js';
import type { MethodInput, PropertyInput, SignalInput } from '../../interface/member-inputs.js';
import type { OwnRule } from '../permits/member-rules.js';

interface MemberNote {
  /** The name of the member in the class. */
  readonly key: string;
  /** The name on D-Bus. */
  readonly name: string;
  /** Hidden from D-Bus, although decorated. */
  readonly disabled: boolean;
  /**
   * Replaces the member by the working one. Called once for each prototype that declares it.
   *
   * @param isOverride whether the class overrides the member without decorating it again
   */
  readonly complete?: (prototype: object, isOverride: boolean) => void;
}

export interface MethodMember extends MemberNote {
  readonly kind: 'method';
  readonly definition: MethodInput;
  /** Which callers may call it, and when. */
  readonly rule: OwnRule | undefined;
  /** Whether the handler wants the call's context as its last parameter. */
  readonly context: boolean;
}

interface SignalMember extends MemberNote {
  readonly kind: 'signal';
  readonly definition: SignalInput;
}

export interface PropertyMember extends MemberNote {
  readonly kind: 'property';
  readonly definition: Omit<PropertyInput, 'access'>;
  /** Which callers may read and set it, and which values it accepts. */
  readonly rule: OwnRule | undefined;
  /** The access in the decorator's options; if left out, what getter and setter allow. */
  readonly access: Access | undefined;
  /** Whether the assigned value is the value that is read. A getter may return anything. */
  readonly isStored: boolean;
  /** Whether it is a plain field. An instance may define the field as its own, which hides the one of the class. */
  readonly isField: boolean;
}

export type Member = MethodMember | SignalMember | PropertyMember;

/** A member of a class: the note, and the most derived prototype that declares it. */
type ClassMember = Member & { readonly home: object };

/** The members by their names in the class, including disabled ones, for the constructor of the class. */
export type ClassMembers = ReadonlyMap<string, ClassMember>;

type AnyFunction = (...args: never[]) => unknown;

const notesOnFunctions = new WeakMap<AnyFunction, Member>();
const notesOnPrototypes = new WeakMap<object, Map<string, Member>>();
const membersByPrototype = new WeakMap<object, ClassMembers>();

/**
 * Leaves a note on a function that will be a method, getter or setter of a prototype.
 *
 * @throws {@link InvalidArgumentError} if the function has one already
 */
export function noteOnFunction(value: AnyFunction, member: Member): void {
  if (notesOnFunctions.has(value)) throw decoratedTwice(member.key);
  notesOnFunctions.set(value, member);
}

/**
 * Leaves a note on a prototype.
 *
 * @throws {@link InvalidArgumentError} if the member has one already
 */
export function noteOnPrototype(prototype: object, member: Member): void {
  const notes = notesOnPrototypes.get(prototype) ?? new Map<string, Member>();
  if (notes.has(member.key)) throw decoratedTwice(member.key);
  notesOnPrototypes.set(prototype, notes.set(member.key, member));
}

function decoratedTwice(key: string): InvalidArgumentError {
  return new InvalidArgumentError(`${quoted(key)} is decorated twice: a member is one method, property or signal`);
}

/**
 * Returns the decorated members of the class with this prototype, including inherited ones.
 *
 * @throws {@link InvalidArgumentError} if two of them have the same name on D-Bus
 */
export function membersOf(prototype: object): ClassMembers {
  const known = membersByPrototype.get(prototype);
  if (known !== undefined) return known;
  const parent: object | null = Object.getPrototypeOf(prototype);
  const members = new Map<string, ClassMember>(parent === null ? [] : membersOf(parent));
  const overridden = new Map([...members].filter(([key]) => Object.hasOwn(prototype, key)));
  const own = ownMembers(prototype);
  for (const member of own) {
    members.set(member.key, { ...member, home: prototype });
    overridden.delete(member.key);
  }
  for (const [key, member] of overridden) {
    members.set(key, { ...member, ...(member.kind === 'property' && behindGetter), home: prototype });
  }
  checkNames(members.values());
  for (const member of own) member.complete?.(prototype, false);
  for (const member of overridden.values()) member.complete?.(prototype, true);
  membersByPrototype.set(prototype, members);
  return members;
}

/** A class that overrides a property by a getter and a setter may change the value in any way. */
const behindGetter = { isStored: false, isField: false };

function ownMembers(prototype: object): Member[] {
  const members = [...(notesOnPrototypes.get(prototype)?.values() ?? [])];
  for (const key of Object.getOwnPropertyNames(prototype)) {
    const { value, get, set } = Object.getOwnPropertyDescriptor(prototype, key) ?? {};
    const notes = [value, get, set].flatMap((part) => notesOnFunctions.get(part) ?? []);
    if (notes.length > 1) throw decoratedTwice(key);
    members.push(...notes);
  }
  return members;
}

function checkNames(members: Iterable<Member>): void {
  const keys = new Map<string, string>();
  for (const { kind, name, key, disabled } of members) {
    if (disabled) continue;
    const other = keys.get(`${kind} ${name}`);
    if (other !== undefined && other !== key) {
      throw new InvalidArgumentError(`${quoted(other)} and ${quoted(key)} are both the ${kind} ${name} on D-Bus`);
    }
    keys.set(`${kind} ${name}`, key);
  }
}
