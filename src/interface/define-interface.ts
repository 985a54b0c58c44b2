/** `defineInterface`: an interface as data, for services and clients without decorators, and for plain JavaScript. */

import type { ValidInterfaceName } from '../base/name-grammar.js';
import { withStackAbove } from '../base/stack.js';
import { interfaceDescription } from './build.js';
import type { CheckedMembers, InterfaceMembers } from './definitions.js';
import type { InterfaceDescription } from './description.js';

/** An interface made by {@link defineInterface}. Its members are literal types, from which the other types follow. */
export interface InterfaceDefinition<
  Name extends string = string,
  Members extends InterfaceMembers = InterfaceMembers,
> {
  /** The D-Bus interface name. */
  readonly name: Name;
  /** The members as the definition has them. */
  readonly members: Members;
  /** The description that services and proxies use. */
  readonly description: InterfaceDescription;
}

/**
 * Defines an interface. `implement` makes a service of it, and `bus.proxy` a proxy; both get their types from it. By
 * default a property is `readwrite` and emits its changes.
 *
 * @example
 * ```ts
 * export const Module = defineInterface('org.example.dbustest.Module', {
 *   methods: { TestMethod: { in: ['kind:s', 'devices:a{sas}'], out: ['result:s'] } },
 *   signals: { TestSignal: { args: ['vms:a{ss}'] } },
 *   properties: { TestProperty: { type: 'a{ss}', access: 'readwrite' } },
 * });
 * ```
 *
 * @throws {@link InvalidArgumentError} if a name or signature is invalid. If it is a literal, that is also a compile
 * error
 */
export function defineInterface<const Name extends string, const Members extends InterfaceMembers>(
  name: Name & ValidInterfaceName<Name>,
  members: Members & CheckedMembers<Members>,
): InterfaceDefinition<Name, Members> {
  try {
    return Object.freeze({ name, members, description: interfaceDescription(name, members) });
  } catch (error) {
    throw withStackAbove(error, defineInterface);
  }
}
