/**
 * `org.freedesktop.DBus.ObjectManager`: returns all objects below a path in one answer.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.ObjectManager"
 */
import type { EncodedEntries } from '../../codec/encoded-entries.js';
import { standardInterfaces } from '../../interface/standard.js';
import type { CallTarget } from '../calls/call-target.js';
import { whenRead } from '../properties/reading.js';

export const objectManager: CallTarget = {
  description: standardInterfaces.objectManager,
  invoke: (_method, call) =>
    whenRead((read) => {
      const { tree, path } = call;
      // Object paths and interface names never collide with properties of `Object.prototype`.
      const objects: Record<string, Record<string, EncodedEntries>> = {};
      for (const node of tree.below(path)) {
        if (node.interfaces.length === 0) continue;
        const interfaces: Record<string, EncodedEntries> = {};
        for (const { exportable } of node.interfaces)
          interfaces[exportable.description.name] = read(exportable.properties);
        objects[node.path] = interfaces;
      }
      return objects;
    }, call),
};
