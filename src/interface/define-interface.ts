/** `defineInterface`: an interface as data, for services and clients without decorators, and for plain JavaScript. */

import type { ValidInterfaceName } from '../base/name-grammar.js';
import { withStackAbove } from '../base/stack.js';
import { interfaceDescription } from './build.js';
import type { InterfaceMembers, ValidMembers } from './definitions.js';
import type { InterfaceDescription } from './description.js';

/** An interface that {@link defineInterface} made. Its members are literal types, from which the others follow. */
export interface InterfaceDefinition<
  Name extends string = string,
  Members extends InterfaceMembers = InterfaceMembers,
> {
  /** The D-Bus interface name. */
  readonly name: Name;
  /** The members as they were written down. */
  readonly members: Members;
  /** The members as services and proxies use them. */
  readonly description: InterfaceDescription;
}

/**
 * Defines an interface. Implement it with `implement`, or hand it to `bus.proxy`: both are typed by it. A property is
 * `readwrite` and emits its changes unless it says otherwise.
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
 * @throws {@link InvalidArgumentError} for an invalid name or signature, which is a compile error too where it is a
 * literal
 */
export function defineInterface<const Name extends string, const Members extends InterfaceMembers>(
  name: Name & ValidInterfaceName<Name>,
  members: Members & ValidMembers<Members>,
): InterfaceDefinition<Name, Members> {
  try {
    return Object.freeze({ name, members, description: interfaceDescription(name, members) });
  } catch (error) {
    throw withStackAbove(error, defineInterface);
  }
}
