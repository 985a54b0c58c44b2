/**
 * Permissions: who may call a method, or read or set a property. They are written as data in the options of members, and
 * compiled here, where mistakes are refused.
 */
import { InvalidArgumentError } from '../../base/errors.js';
import { anyValue, KnownOptions } from '../../base/known-options.js';
import { quoted } from '../../base/names.js';
import type { HandlerParameters } from '../../interface/definitions.js';
import type { ArgumentList } from '../../interface/member-inputs.js';
import type { ReadValueAs, VariantChoice } from '../../signature/types.js';
import type { CallContext } from '../calls/call-context.js';
import { detailsOf } from './authorize.js';
import { type Condition, inGroups, isUser, polkitAction, programDecides } from './conditions.js';

/** Asks polkit whether the caller may perform an action. */
export interface PolkitPermission {
  /** The id of the action, which a `.policy` file declares: `org.example.set-name`. */
  readonly polkit: string;
  /**
   * Values for polkit's rules, by name. `polkit.message` is the text of the dialog, in which `$(name)` stands for a value.
   */
  readonly details?: Readonly<Record<string, string>> | undefined;
}

/** Permits users by their ids. */
export interface UserIdPermission {
  /** One user id, or several. */
  readonly uid: number | readonly number[];
}

/** Permits users by their names. */
export interface UserNamePermission {
  /** One name in the user database, or several. */
  readonly user: string | readonly string[];
}

/** Permits the members of groups, whether it is their primary group or a supplementary one. */
export interface GroupPermission {
  /** A name in the group database or a group id, or several. */
  readonly group: string | number | readonly (string | number)[];
}

/**
 * Decides itself. It gets the call, and the arguments of the method, or the value to which a property is set. Only `true`
 * permits the call. A {@link DBusError} that it throws is the answer to the caller.
 */
export type PermissionFunction<Args extends readonly unknown[]> = (
  call: CallContext,
  ...args: Args
) => boolean | PromiseLike<boolean>;

/** A permission, or a list of which any suffices. */
export type Permission<Args extends readonly unknown[] = readonly unknown[]> =
  | PolkitPermission
  | UserIdPermission
  | UserNamePermission
  | GroupPermission
  | PermissionFunction<Args>
  | readonly Permission<Args>[];

/** The permissions of a property. Without one, every caller may do it. */
export interface PropertyPermissions<Value = unknown> {
  /**
   * Which callers may read it. It is left out of the replies to other callers' `GetAll` and `GetManagedObjects`, and its
   * value is in no signal: changes are announced as with `emits: 'invalidates'`.
   */
  readonly read?: Permission<readonly []> | undefined;
  /** Which callers may set it. */
  readonly write?: Permission<readonly [value: Value]> | undefined;
}

/** The permissions for all members of an interface. Members with a permission of their own do not have these. */
export interface InterfacePermissions extends PropertyPermissions {
  /** Which callers may call its methods. */
  readonly call?: Permission | undefined;
}

/** The permission of a method with these arguments. */
export type MethodPermission<I extends ArgumentList, V extends VariantChoice> = Permission<HandlerParameters<I, V>>;

/** The permissions of a property with this signature. */
export interface PropertyPermissionsOf<S extends string, V extends VariantChoice>
  extends PropertyPermissions<ReadValueAs<S, V>> {}

/** A compiled permission: any of the conditions suffices. */
export type Permit = readonly Condition[];

const conditionOptions = new KnownOptions<PolkitPermission & UserIdPermission & UserNamePermission & GroupPermission>(
  'allow',
  { polkit: anyValue, details: anyValue, uid: anyValue, user: anyValue, group: anyValue },
);
const propertyOptions = new KnownOptions<PropertyPermissions>('allow', { read: anyValue, write: anyValue });
const interfaceOptions = new KnownOptions<InterfacePermissions>('allow', {
  call: anyValue,
  read: anyValue,
  write: anyValue,
});

/**
 * Compiles a permission.
 *
 * @throws {@link InvalidArgumentError} if it is none, or has an unknown key
 */
export function permitOf(given: unknown): Permit | undefined {
  if (given === undefined) return undefined;
  const conditions = conditionsOf(given);
  if (conditions.length === 0)
    throw new InvalidArgumentError('allow: the list is empty, so no caller would be allowed');
  // No dialog is shown to a caller that another condition permits.
  return conditions.sort((one, other) => one.cost - other.cost);
}

/** The permits to read and to set a property. */
export function propertyPermits(given: unknown): { readonly read?: Permit; readonly write?: Permit } {
  if (given === undefined) return {};
  if (isCondition(given)) {
    throw new InvalidArgumentError('allow: say what is allowed, as in { write: … } or { read: …, write: … }');
  }
  propertyOptions.check(given as PropertyPermissions, 'allow');
  checkSaysSomething(given as PropertyPermissions, 'read and write');
  return definedOf({
    read: permitOf((given as PropertyPermissions).read),
    write: permitOf((given as PropertyPermissions).write),
  });
}

/** The permits for all members of an interface. One permission is for everything. */
export function interfacePermits(given: unknown): {
  readonly call?: Permit;
  readonly read?: Permit;
  readonly write?: Permit;
} {
  if (given === undefined) return {};
  if (isCondition(given)) {
    const permit = permitOf(given) as Permit;
    return { call: permit, read: permit, write: permit };
  }
  interfaceOptions.check(given as InterfacePermissions, 'allow');
  checkSaysSomething(given as InterfacePermissions, 'call, read and write');
  const { call, read, write } = given as InterfacePermissions;
  return definedOf({ call: permitOf(call), read: permitOf(read), write: permitOf(write) });
}

/** @throws {@link InvalidArgumentError} for an empty object, which looks as if nothing was allowed, and would allow all */
function checkSaysSomething(given: object, keys: string): void {
  if (Object.keys(given).length > 0) return;
  throw new InvalidArgumentError(`allow: an empty object has no permission: expected ${keys}, or one of them`);
}

function definedOf<Key extends string>(
  permits: { readonly [K in Key]: Permit | undefined },
): {
  readonly [K in Key]?: Permit;
} {
  const defined = Object.entries(permits).filter(([, permit]) => permit !== undefined);
  return Object.fromEntries(defined) as { readonly [K in Key]?: Permit };
}

/** Whether this is a permission, rather than an object with permissions. */
function isCondition(given: unknown): boolean {
  if (typeof given === 'function' || Array.isArray(given)) return true;
  return typeof given === 'object' && given !== null && KINDS.some((kind) => Object.hasOwn(given, kind));
}

const KINDS = ['polkit', 'uid', 'user', 'group'] as const;

function conditionsOf(given: unknown): Condition[] {
  if (typeof given === 'function') return [programDecides(given as PermissionFunction<readonly unknown[]>)];
  if (Array.isArray(given)) return given.flatMap(conditionsOf);
  conditionOptions.check(given as never, 'allow');
  const kinds = KINDS.filter((kind) => (given as Record<string, unknown>)[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const cure = kind === undefined ? `expected ${KINDS.join(', ')}` : 'write a list, of which any suffices';
    throw new InvalidArgumentError(`allow: ${kinds.join(' and ') || 'an empty object'} is no permission: ${cure}`);
  }
  const { details, [kind]: value } = given as Record<string, unknown>;
  if (details !== undefined && kind !== 'polkit') throw new InvalidArgumentError('allow: only polkit takes details');
  if (kind === 'polkit') return [polkitAction(textOf(kind, value), detailsOf(details))];
  const values = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  if (values.length === 0) throw new InvalidArgumentError(`allow: ${kind} is an empty list`);
  if (kind === 'uid') return [isUser(values.map((each) => idOf(kind, each)))];
  if (kind === 'user') return [isUser(values.map((each) => textOf(kind, each)))];
  return [inGroups(values.map((each) => (typeof each === 'number' ? idOf(kind, each) : textOf(kind, each))))];
}

function idOf(kind: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32 - 1) return value;
  throw new InvalidArgumentError(`allow: ${kind} must be an id, not ${shown(value)}`);
}

function textOf(kind: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && !/[\0\n:]/.test(value)) return value;
  throw new InvalidArgumentError(`allow: ${kind} must be a name, not ${shown(value)}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : String(value);
}
