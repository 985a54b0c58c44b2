/** The handle of a tree whose objects are found when they are asked for. */
import type { Export, ExportedObject } from './exports.js';

/** A tree whose objects are found when they are asked for. After it was ended, there are none below its path. */
export interface ExportedTree extends Export {
  /**
   * Keeps objects of the tree: until the handle is ended, `find` is not asked for the path, and signals and changes of
   * the objects are sent at any time. No object manager announces it, because the objects exist already.
   *
   * @param path a path below that of the tree
   * @throws {@link InvalidArgumentError} as {@link MessageBus.export} does
   */
  keep(path: string, ...interfaces: readonly [ExportedObject, ...ExportedObject[]]): Export;
  /**
   * Makes the object managers above announce objects that `find` finds from now on (InterfacesAdded). Without an object
   * manager, and after the end of the tree, it does nothing.
   *
   * @throws {@link InvalidArgumentError} if the path is not below that of the tree, or a value has the wrong type
   */
  announceAdded(path: string, ...interfaces: readonly [ExportedObject, ...ExportedObject[]]): void;
  /**
   * Makes the object managers above announce that `find` does not find interfaces any more (InterfacesRemoved).
   *
   * @throws {@link InvalidArgumentError} if the path is not below that of the tree, or a name is not valid
   */
  announceRemoved(path: string, ...interfaces: readonly [string, ...string[]]): void;
}
