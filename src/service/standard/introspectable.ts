/**
 * `org.freedesktop.DBus.Introspectable`: answered for every exported object and its ancestors, so that tools can walk
 * from the root to the objects.
 *
 * @see D-Bus specification, section "org.freedesktop.DBus.Introspectable"
 */
import type { InterfaceDescription, NodeDescription } from '../../interface/description.js';
import { standardInterfaces } from '../../interface/standard.js';
import { introspectionXml } from '../../interface/xml/generate.js';
import type { CallTarget } from '../calls/call-target.js';
import type { TreeNode } from '../objects/object-tree.js';
import { isThenable } from '../thenable.js';

export const introspectable: CallTarget = {
  description: standardInterfaces.introspectable,
  invoke(_method, { tree, node }) {
    const children = tree.subtreeOf(node.path)?.childrenOf(node) ?? node.children;
    return isThenable(children)
      ? children.then((names) => introspectionXml(describeNode(node, names)))
      : introspectionXml(describeNode(node, children));
  },
};

const leaf: NodeDescription = { path: undefined, interfaces: new Map(), children: new Map() };

/** The description of a node, including the standard interfaces. */
function describeNode(node: TreeNode, children: Iterable<string>): NodeDescription {
  const interfaces = new Map<string, InterfaceDescription>();
  const add = (description: InterfaceDescription) => interfaces.set(description.name, description);
  for (const { exportable } of node.interfaces) add(exportable.description);
  add(standardInterfaces.introspectable);
  add(standardInterfaces.peer);
  add(standardInterfaces.properties);
  if (node.managesObjects) add(standardInterfaces.objectManager);
  return { path: node.path, interfaces, children: new Map(Array.from(children, (name) => [name, leaf])) };
}
