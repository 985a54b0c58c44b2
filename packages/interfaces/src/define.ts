/**
 * `defineInterface` without the compiler's check of every name and signature. They are generated from introspection data,
 * which was parsed, and the check would take the compiler longer than all else.
 */
import { defineInterface, type InterfaceDefinition, type InterfaceMembers } from 'busbar';

type Define = <const Name extends string, const Members extends InterfaceMembers>(
  name: Name,
  members: Members,
) => InterfaceDefinition<Name, Members>;

export const define = defineInterface as unknown as Define;
