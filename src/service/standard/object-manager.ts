/**
 * `org.freedesktop.DBus.ObjectManager`: returns all objects below a path in one answer.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.ObjectManager"
 */
import type { EncodedEntries } from '../../codec/encoded-entries.js';
import { standardInterfaces } from '../../interface/standard.js';
import type { CallTarget } from '../calls/call-target.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import { LateAnswer, settle } from '../calls/late-answer.js';
import type { Exportable } from '../objects/exportable.js';
import { foundBelow } from '../objects/subtree.js';
import { type ReadObject, whenGuardedRead } from '../permits/guarded-reading.js';

export const objectManager: CallTarget = {
  description: standardInterfaces.objectManager,
  invoke(_method, call) {
    const { tree, path } = call;
    if (!tree.hasSubtrees) return managedObjects(call, new Map());
    // Objects of trees have to be found first. They announce no changes meanwhile, and all values are read at one time.
    return new LateAnswer(async (send, fail) => {
      settle(managedObjects(call, await foundBelow(tree, path)), send, fail);
    });
  },
};

/** The objects that are not exported, by path. */
type Found = ReadonlyMap<string, readonly Exportable[]>;

function managedObjects(call: IncomingCall, found: Found): unknown {
  const { tree, path } = call;
  return whenGuardedRead(
    call,
    () => exportablesBelow(call, found),
    (read) => {
      // Object paths and interface names never collide with properties of `Object.prototype`.
      const objects: Record<string, Record<string, EncodedEntries>> = {};
      for (const [at, exportables] of found) objects[at] = interfacesOf(exportables, read);
      for (const { path: at, interfaces } of tree.below(path)) {
        if (interfaces.length === 0) continue;
        objects[at] = interfacesOf(
          interfaces.map(({ exportable }) => exportable),
          read,
        );
      }
      return objects;
    },
  );
}

function interfacesOf(exportables: readonly Exportable[], read: ReadObject): Record<string, EncodedEntries> {
  const interfaces: Record<string, EncodedEntries> = {};
  for (const exportable of exportables) interfaces[exportable.description.name] = read(exportable);
  return interfaces;
}

function* exportablesBelow({ tree, path }: IncomingCall, found: Found): Generator<Exportable> {
  for (const exportables of found.values()) yield* exportables;
  for (const { interfaces } of tree.below(path)) for (const { exportable } of interfaces) yield exportable;
}
