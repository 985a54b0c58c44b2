/** The rules of an object that `implement` makes, by the names of members. */
import { anyValue, KnownOptions } from '../../base/known-options.js';
import { checkObject } from '../../base/parameters.js';
import type {
  HandlerParameters,
  InterfaceMembers,
  ListOf,
  Table,
  TypeOf,
  VariantsOf,
} from '../../interface/definitions.js';
import type { InterfaceDescription } from '../../interface/description.js';
import type { ReadValueAs } from '../../signature/types.js';
import {
  checkRuleNames,
  type HandlerOrder,
  type MemberRules,
  memberRules,
  type OwnRule,
  orderTable,
  ownRule,
  type RuleInput,
  type ValueCheck,
} from './member-rules.js';
import type { InterfacePermissions, Permission, PropertyPermissions } from './permission.js';

/** The rules of a method that `implement` provides. */
export interface ImplementedMethodOptions<Args extends readonly unknown[] = readonly never[]> extends HandlerOrder {
  /** Which callers may call it; by default those that the interface allows, or all. */
  readonly allow?: Permission<Args> | undefined;
}

/** The rules of a property that `implement` provides. */
export interface ImplementedPropertyOptions<Value = never> extends HandlerOrder {
  /** Which callers may read and set it; by default those that the interface allows, or all. */
  readonly allow?: PropertyPermissions<Value> | undefined;
  /** Which values it accepts. Of values that do not match the signature, it is not asked. */
  readonly check?: ValueCheck<Value> | undefined;
}

/** The rules of the members of an interface, by name. One mapped type, because TypeScript 5.4 infers nothing from two. */
export type ImplementedMemberOptions<M extends InterfaceMembers> = {
  readonly [Name in keyof Table<M, 'methods'> | keyof Table<M, 'properties'>]?: Name extends keyof Table<M, 'methods'>
    ? ImplementedMethodOptions<
        HandlerParameters<ListOf<Table<M, 'methods'>[Name], 'in'>, VariantsOf<Table<M, 'methods'>[Name]>>
      >
    : Name extends keyof Table<M, 'properties'>
      ? ImplementedPropertyOptions<
          ReadValueAs<TypeOf<Table<M, 'properties'>[Name]>, VariantsOf<Table<M, 'properties'>[Name]>>
        >
      : never;
};

/** The rules of an object that {@link implement} makes. */
export interface ImplementOptions<Members = ImplementedMemberOptions<InterfaceMembers>> extends HandlerOrder {
  /**
   * Which callers may use the members that have no `allow` of their own: one permission for all of them, or one each for
   * calling methods, reading and setting properties.
   */
  readonly allow?: Permission | InterfacePermissions | undefined;
  /** The rules of members, by name. */
  readonly members?: Members | undefined;
}

/** The rules of the members of an interface that is only known at run time. */
export type LooseMemberOptions = Readonly<Record<string, ImplementedMethodOptions | ImplementedPropertyOptions>>;

const implementOptions = new KnownOptions<ImplementOptions<object>>('implement()', {
  allow: anyValue,
  ...orderTable,
  members: anyValue,
});

/**
 * Compiles the options of `implement`.
 *
 * @throws {@link InvalidArgumentError}
 */
export function implementedRules(
  description: InterfaceDescription,
  options: ImplementOptions<object>,
): MemberRules | undefined {
  implementOptions.check(options);
  const { members = {}, ...shared } = options as RuleInput & { readonly members?: Readonly<Record<string, RuleInput>> };
  checkObject(members, 'members');
  checkRuleNames(description, members);
  const own = (kind: 'method' | 'property', names: Iterable<string>) => {
    const rules = new Map<string, OwnRule>();
    for (const name of names) {
      const input = Object.hasOwn(members, name) ? members[name] : undefined;
      const rule = input === undefined ? undefined : ownRule(kind, name, input);
      if (rule !== undefined) rules.set(name, rule);
    }
    return rules;
  };
  const { methods, properties } = description;
  return memberRules(description, shared, own('method', methods.keys()), own('property', properties.keys()));
}
