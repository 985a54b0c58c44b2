/** `busbar tree`: the objects of services. */

import { printable } from '../../base/printable.js';
import type { MessageBus } from '../../index.js';
import type { Command } from '../command.js';
import { CommandFailure, UsageFailure } from '../failure.js';
import { answered } from '../introspection.js';
import { library } from '../library.js';
import type { Output } from '../output.js';
import { Progress } from '../progress.js';
import type { Session } from '../session.js';
import { showJson } from '../values/show.js';

/** Calls that wait at a time. */
const AT_A_TIME = 16;
/** The most objects that are asked for, in a service whose children never end. */
const OBJECTS_MAXIMUM = 100_000;
/** Standard interfaces are not listed: every object has them. */
const STANDARD = /^org\.freedesktop\.DBus\.(Peer|Introspectable|Properties)$/;

interface ObjectNode {
  readonly path: string;
  interfaces: readonly string[];
  readonly children: ObjectNode[];
  /** Why the object did not describe itself. */
  problem?: string;
}

export const tree: Command = {
  name: 'tree',
  summary: 'shows the objects of services, with their interfaces',
  arguments: [
    {
      name: 'NAME',
      docs: 'the names of services; all on the bus by default',
      variadic: true,
      optional: true,
      complete: 'name',
    },
  ],
  options: [
    { flags: '--list', docs: 'print only the paths, one on a line; of several services after the name' },
    { flags: '--path PATH', docs: 'begin at this object instead of /', complete: 'path' },
    { flags: '--no-interfaces', docs: 'show only the paths' },
  ],
  examples: [
    ['busbar tree org.freedesktop.NetworkManager --system', 'all objects of a service'],
    ['busbar tree org.bluez --system --list', 'their paths for other programs'],
    ['busbar tree org.freedesktop.UDisks2 --system --path /org/freedesktop/UDisks2/drives', 'a part of them'],
  ],
  async run(session, words, { list, path = '/', interfaces }) {
    if (typeof path !== 'string' || !library.isObjectPath(path)) {
      throw new UsageFailure(`--path ${printable(String(path))}: expected an object path, such as /org/example`);
    }
    const bus = await session.connect();
    const names = words.length > 0 ? words : await servicesOn(session, bus);
    const found: Record<string, ObjectNode> = {};
    for (const [index, name] of names.entries()) {
      const root = await treeOf(session, bus, name, path, names.length > 1);
      if (root === undefined) continue;
      found[name] = root;
      if (session.output.json) continue;
      const prefix = names.length > 1 ? `${name} ` : '';
      if (list === true) session.output.lines(pathsOf(root).map((each) => prefix + each));
      else printTree(session.output, names.length > 1 ? name : undefined, root, interfaces !== false, index > 0);
    }
    if (session.output.json) {
      showJson(
        session.output,
        Object.fromEntries(Object.entries(found).map(([name, root]) => [name, objectsOf(root, interfaces !== false)])),
      );
    }
    const problems = Object.values(found).flatMap(({ problem, children }) =>
      problem !== undefined && children.length === 0 ? [problem] : [],
    );
    if (words.length > 0 && problems.length > 0) throw new CommandFailure(problems.join('\n'));
  },
};

/** The services that run. */
async function servicesOn(session: Session, bus: MessageBus): Promise<string[]> {
  const names = await bus.listNames(session.limits);
  return names.filter((name) => !name.startsWith(':')).sort();
}

async function treeOf(
  session: Session,
  bus: MessageBus,
  name: string,
  path: string,
  isOneOfMany: boolean,
): Promise<ObjectNode | undefined> {
  const progress = new Progress(`${name}: looking for objects`);
  try {
    // A name that does not exist is told with the one that was probably meant.
    const call = { destination: name, path, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
    const { UnknownMethodError, UnknownObjectError, UnknownInterfaceError, AccessDeniedError } = library;
    await answered(session, bus, call, () => bus.call(call, session.limits)).catch((error) => {
      // Few services refuse it, and then they are there.
      const isThere = [UnknownMethodError, UnknownObjectError, UnknownInterfaceError, AccessDeniedError];
      if (!isThere.some((each) => error instanceof each)) throw error;
    });
    return await walk(session, bus, name, path, (count) => progress.update(`${name}: ${count} objects`));
  } catch (error) {
    if (!isOneOfMany || session.signal.aborted || !(error instanceof Error)) throw error;
    return { path, interfaces: [], children: [], problem: printable(error.message.split('\n')[0] ?? '') };
  } finally {
    progress.end();
  }
}

/** Asks an object for its children, and those for theirs, some at a time. */
async function walk(
  session: Session,
  bus: MessageBus,
  name: string,
  path: string,
  onCount: (count: number) => void,
): Promise<ObjectNode> {
  const root: ObjectNode = { path, interfaces: [], children: [] };
  const waiting = [root];
  let count = 1;
  const visit = async (node: ObjectNode) => {
    try {
      const object = await bus.object(name, node.path, session.limits);
      // GDBus answers for every path that there is, or is not.
      const isEmpty = object.interfaces.length === 0 && object.children.length === 0;
      if (isEmpty && node === root && path !== '/') node.problem = `${name} has no object ${path}`;
      node.interfaces = object.interfaces.filter((each) => !STANDARD.test(each));
      for (const child of object.children) {
        if (++count > OBJECTS_MAXIMUM) {
          throw new CommandFailure(`${name} has more than ${OBJECTS_MAXIMUM} objects: choose a part with --path`);
        }
        const next: ObjectNode = { path: child, interfaces: [], children: [] };
        node.children.push(next);
        waiting.push(next);
      }
      onCount(count);
    } catch (error) {
      if (session.signal.aborted || !(error instanceof library.DBusError)) throw error;
      if (error instanceof library.ConnectionClosedError) throw error;
      node.problem = printable(error.message);
    }
  };
  await new Promise<void>((resolve, reject) => {
    let running = 0;
    const next = () => {
      while (running < AT_A_TIME && waiting.length > 0) {
        running++;
        visit(waiting.shift() as ObjectNode).then(() => {
          running--;
          next();
        }, reject);
      }
      if (running === 0 && waiting.length === 0) resolve();
    };
    next();
  });
  sortTree(root);
  return root;
}

const collator = new Intl.Collator('en', { numeric: true });

function sortTree(node: ObjectNode): void {
  node.children.sort((a, b) => collator.compare(a.path, b.path));
  node.children.forEach(sortTree);
}

function pathsOf(node: ObjectNode): string[] {
  return [node.path, ...node.children.flatMap(pathsOf)];
}

function objectsOf(
  { path, interfaces, problem, children }: ObjectNode,
  hasInterfaces: boolean,
): { path: string; interfaces?: readonly string[]; problem?: string }[] {
  const own = { path, ...(hasInterfaces && { interfaces }), ...(problem !== undefined && { problem }) };
  return [own, ...children.flatMap((child) => objectsOf(child, hasInterfaces))];
}

function printTree(
  output: Output,
  title: string | undefined,
  root: ObjectNode,
  hasInterfaces: boolean,
  isLater: boolean,
): void {
  if (title !== undefined) output.lines([...(isLater ? [''] : []), output.paint(['bold', 'cyan'], title)]);
  output.lines(treeLines(output, root, '', '', hasInterfaces));
}

function treeLines(output: Output, node: ObjectNode, head: string, indent: string, hasInterfaces: boolean): string[] {
  const about = hasInterfaces ? node.interfaces.join(', ') : '';
  const path = node.interfaces.length > 0 ? output.paint('bold', node.path) : node.path;
  const room = Math.max(0, output.width - head.length - node.path.length - 2);
  const note =
    node.problem !== undefined
      ? output.paint('red', output.cut(`✗ ${node.problem}`, room))
      : output.paint('dim', room < 8 ? '' : output.cut(about, room));
  const own = `${output.paint('dim', head)}${path}${note === '' ? '' : `  ${note}`}`;
  const below = node.children.flatMap((child, index) => {
    const isLast = index === node.children.length - 1;
    const branch = isLast ? '└─ ' : '├─ ';
    return treeLines(output, child, indent + branch, indent + (isLast ? '   ' : '│  '), hasInterfaces);
  });
  return [own, ...below];
}
