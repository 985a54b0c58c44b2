/**
 * `org.freedesktop.DBus.Introspectable`: answered for every exported object and its ancestors, so that tools can walk
 * from the root to the objects.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.Introspectable"
 */
import type { InterfaceDescription } from '../../interface/description.js';
import { standardInterfaces } from '../../interface/standard.js';
import { interfaceLines, type Lines, nodeXml } from '../../interface/xml/generate.js';
import type { CallTarget } from '../calls/call-target.js';
import type { TreeNode } from '../objects/object-tree.js';
import { isThenable } from '../thenable.js';

export const introspectable: CallTarget = {
  description: standardInterfaces.introspectable,
  invoke(_method, { tree, node }) {
    const children = tree.subtreeOf(node.path)?.childrenOf(node) ?? node.children;
    const xml = (names: Iterable<string>) => nodeXml(node.path, interfacesOf(node), names);
    return isThenable(children) ? children.then(xml) : xml(children);
  },
};

/** The interfaces of a node, including the standard interfaces. */
function interfacesOf(node: TreeNode): Lines[] {
  const { introspectable: own, peer, properties, objectManager } = standardInterfaces;
  const standard = node.managesObjects ? [own, peer, properties, objectManager] : [own, peer, properties];
  return [...node.interfaces.map(({ exportable }) => exportable.description), ...standard].map(linesOf);
}

/** The lines of interfaces. Many objects have the same one, and descriptions of services do not change. */
const known = new WeakMap<InterfaceDescription, Lines>();

function linesOf(description: InterfaceDescription): Lines {
  const lines = known.get(description) ?? interfaceLines(description);
  known.set(description, lines);
  return lines;
}
