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
    const services = words.length > 0 ? words.map((word) => [word]) : await servicesOn(session, bus);
    const isOneOfMany = services.length > 1;
    const found: Record<string, ObjectNode> = {};
    for (const [index, names] of services.entries()) {
      const root = await treeOf(session, bus, names[0] as string, path, isOneOfMany);
      for (const name of names) found[name] = root;
      if (session.output.json) continue;
      if (list === true) {
        const paths = [...preorder(root)].map(({ node }) => node.path);
        for (const name of names) session.output.lines(isOneOfMany ? paths.map((each) => `${name} ${each}`) : paths);
      } else printTree(session.output, isOneOfMany ? titleOf(names) : undefined, root, interfaces !== false, index > 0);
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

/** The services that run: the names of each, because all names of a connection have the same objects. */
async function servicesOn(session: Session, bus: MessageBus): Promise<readonly (readonly string[])[]> {
  const names = (await bus.listNames(session.limits)).filter((name) => !name.startsWith(':')).sort();
  // A name without an owner has left since, which is told in its place.
  const owners = await Promise.all(names.map((name) => bus.nameOwner(name, session.limits).catch(() => name)));
  const services = new Map<string, string[]>();
  for (const [index, name] of names.entries()) {
    const owner = owners[index] as string;
    const others = services.get(owner);
    if (others === undefined) services.set(owner, [name]);
    else others.push(name);
  }
  return [...services.values()];
}

/** How many names of one service are shown. */
const NAMES_SHOWN = 3;

function titleOf(names: readonly string[]): string {
  // One more takes no more room than its number.
  if (names.length <= NAMES_SHOWN + 1) return names.join(', ');
  return `${names.slice(0, NAMES_SHOWN).join(', ')} and ${names.length - NAMES_SHOWN} more names`;
}

async function treeOf(
  session: Session,
  bus: MessageBus,
  name: string,
  path: string,
  isOneOfMany: boolean,
): Promise<ObjectNode> {
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
  for (const { node } of preorder(root)) node.children.sort((a, b) => collator.compare(a.path, b.path));
  return root;
}

const collator = new Intl.Collator('en', { numeric: true });

/** An object before its children, which are looked at when it was taken. A deep tree would exceed the stack otherwise. */
function* preorder(root: ObjectNode): Generator<{ node: ObjectNode; head: string }> {
  const waiting = [{ node: root, head: '', indent: '' }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next;
    const { node, indent } = next;
    for (let index = node.children.length - 1; index >= 0; index--) {
      const isLast = index === node.children.length - 1;
      waiting.push({
        node: node.children[index] as ObjectNode,
        head: `${indent}${isLast ? '└─ ' : '├─ '}`,
        indent: `${indent}${isLast ? '   ' : '│  '}`,
      });
    }
  }
}

function objectsOf(
  root: ObjectNode,
  hasInterfaces: boolean,
): { path: string; interfaces?: readonly string[]; problem?: string }[] {
  return [...preorder(root)].map(({ node: { path, interfaces, problem } }) => ({
    path,
    ...(hasInterfaces && { interfaces }),
    ...(problem !== undefined && { problem }),
  }));
}

function printTree(
  output: Output,
  title: string | undefined,
  root: ObjectNode,
  hasInterfaces: boolean,
  isLater: boolean,
): void {
  if (title !== undefined) output.lines([...(isLater ? [''] : []), output.paint(['bold', 'cyan'], title)]);
  output.lines([...preorder(root)].map(({ node, head }) => treeLine(output, node, head, hasInterfaces)));
}

function treeLine(output: Output, node: ObjectNode, head: string, hasInterfaces: boolean): string {
  const about = hasInterfaces ? node.interfaces.join(', ') : '';
  const path = node.interfaces.length > 0 ? output.paint('bold', node.path) : node.path;
  const room = Math.max(0, output.width - head.length - node.path.length - 2);
  const note =
    node.problem !== undefined
      ? output.paint('red', output.cut(`✗ ${node.problem}`, room))
      : output.paint('dim', room < 8 ? '' : output.cut(about, room));
  return `${output.paint('dim', head)}${path}${note === '' ? '' : `  ${note}`}`;
}
