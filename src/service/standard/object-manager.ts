/**
 * `org.freedesktop.DBus.ObjectManager`: everything below a path in one answer.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.ObjectManager"
 */
import { standardInterfaces } from '../../introspection/standard.js';
import type { CallTarget } from '../call-target.js';
import type { Exportable } from '../exportable.js';
import { type PropertyValues, type ReadProperties, whenRead } from './property-values.js';

export const objectManager: CallTarget = {
  description: standardInterfaces.objectManager,
  invoke: (_method, { tree, path }) =>
    whenRead((read) => {
      const objects: Record<string, Record<string, PropertyValues>> = {};
      for (const node of tree.below(path)) {
        if (node.interfaces.size > 0) objects[node.path] = interfaceValues(node.interfaces.values(), read);
      }
      return objects;
    }),
};

/** The property values of some interfaces of an object, by interface: what InterfacesAdded carries. */
export function interfaceValues(
  interfaces: Iterable<Exportable>,
  read: ReadProperties,
): Record<string, PropertyValues> {
  const values: Record<string, PropertyValues> = {};
  for (const exportable of interfaces) values[exportable.description.name] = read(exportable);
  return values;
}
