/** The rules of the members of a decorated class: which callers may use them, in which order, with which values. */
import type { InterfaceDescription } from '../../interface/description.js';
import { type MemberRules, memberRules, type OwnRule, type RuleInput } from '../permits/member-rules.js';
import type { MethodMember, PropertyMember } from './members.js';

/** The members of a class by their D-Bus names. */
interface RuledMembers {
  readonly methods: ReadonlyMap<string, MethodMember>;
  readonly properties: ReadonlyMap<string, PropertyMember>;
}

const sharedRules = new WeakMap<InterfaceDescription, { readonly rules: MemberRules | undefined }>();

/** The rules of an instance. All instances of a class share them, if the options have none. */
export function rulesOf(
  description: InterfaceDescription,
  { methods, properties }: RuledMembers,
  options: RuleInput,
): MemberRules | undefined {
  const isShared = options.allow === undefined && options.concurrency === undefined && options.queue === undefined;
  const known = isShared ? sharedRules.get(description) : undefined;
  if (known !== undefined) return known.rules;
  const rules = memberRules(description, options, ownRules(methods), ownRules(properties));
  if (isShared) sharedRules.set(description, { rules });
  return rules;
}

function ownRules(members: ReadonlyMap<string, MethodMember | PropertyMember>): ReadonlyMap<string, OwnRule> {
  return new Map([...members].flatMap(([name, { rule }]) => (rule === undefined ? [] : [[name, rule] as const])));
}
