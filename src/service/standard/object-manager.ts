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
import { Search } from '../objects/search.js';
import { type ReadObject, whenGuardedRead } from '../permits/guarded-reading.js';

export const objectManager: CallTarget = {
  description: standardInterfaces.objectManager,
  invoke(_method, call) {
    const { tree } = call;
    if (!tree.hasSubtrees) return managedObjects(call, new Map());
    // Objects of trees have to be found first. All values are read at one time.
    return new LateAnswer((send, fail) => find(call, send, fail));
  },
};

async function find(
  call: IncomingCall,
  send: (result: unknown) => void,
  fail: (error: unknown) => void,
): Promise<void> {
  const search = new Search(call.tree, call.path);
  const ending = (settled: (value: unknown) => void) => (value: unknown) => {
    search.end();
    settled(value);
  };
  try {
    await search.run();
    settle(managedObjects(call, search.found), ending(send), ending(fail));
  } catch (error) {
    ending(fail)(error);
  }
}

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
