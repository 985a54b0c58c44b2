/**
 * `org.freedesktop.DBus.ObjectManager`: returns all objects below a path in one answer.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.ObjectManager"
 */
import type { EncodedEntries } from '../../codec/encoded-entries.js';
import { standardInterfaces } from '../../interface/standard.js';
import type { CallTarget } from '../calls/call-target.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import { LateAnswer } from '../calls/late-answer.js';
import type { Exportable } from '../objects/exportable.js';
import { foundBelow } from '../objects/subtree.js';
import { type ReadProperties, whenRead } from '../properties/reading.js';

export const objectManager: CallTarget = {
  description: standardInterfaces.objectManager,
  invoke(_method, call) {
    const { tree, path } = call;
    if (!tree.hasSubtrees) return whenRead((read) => managedObjects(call, read, []), call);
    // Objects of trees have to be found first. They announce no changes meanwhile, and all values are read at one time.
    return new LateAnswer(async (send) => {
      const found = await foundBelow(tree, path);
      const objects = whenRead((read) => managedObjects(call, read, found), call);
      if (!(objects instanceof LateAnswer)) send(objects);
      else await new Promise<void>((resolve, reject) => objects.settle((known) => resolve(send(known)), reject));
    });
  },
};

type ManagedObjects = Record<string, Record<string, EncodedEntries>>;

/** @param found the objects that are not exported, by path */
function managedObjects(
  { tree, path }: IncomingCall,
  read: ReadProperties,
  found: Iterable<readonly [path: string, exportables: readonly Exportable[]]>,
): ManagedObjects {
  // Object paths and interface names never collide with properties of `Object.prototype`.
  const objects: ManagedObjects = {};
  for (const [at, exportables] of found) objects[at] = interfacesOf(exportables, read);
  for (const { path: at, interfaces } of tree.below(path)) {
    if (interfaces.length === 0) continue;
    objects[at] = interfacesOf(
      interfaces.map(({ exportable }) => exportable),
      read,
    );
  }
  return objects;
}

function interfacesOf(exportables: readonly Exportable[], read: ReadProperties): Record<string, EncodedEntries> {
  const interfaces: Record<string, EncodedEntries> = {};
  for (const { description, properties } of exportables) interfaces[description.name] = read(properties);
  return interfaces;
}
