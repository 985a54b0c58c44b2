/** The systemd units in the control group of a process, by systemd's rules for the names of control groups. */

/** The units of a process. */
export interface Units {
  /** The unit of the system manager; of a user's processes it is that user's manager or session. */
  readonly unit: string | undefined;
  /** The unit of the manager of a user, if the process belongs to one. */
  readonly userUnit: string | undefined;
}

/** systemd.unit(5): the characters of a unit's name, and the types. */
const UNIT =
  /^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\@-]*)?\.(service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;
const NAME_MAXIMUM = 255;

/**
 * The units of a process.
 *
 * @param cgroup the text of `/proc/PID/cgroup`
 */
export function unitsOf(cgroup: string): Units {
  const path = pathOf(cgroup);
  const [unit, rest] = nextUnit(path === undefined ? [] : path.split('/').slice(1).map(unescaped));
  const isOfUser = unit !== undefined && /^(user@\d+\.service|session-[A-Za-z0-9]+\.scope)$/.test(unit);
  const [userUnit] = isOfUser ? nextUnit(rest) : [];
  return { unit, userUnit };
}

/** The path in the hierarchy of systemd; with only the unified hierarchy (version 2), in that one. */
function pathOf(cgroup: string): string | undefined {
  const lines = cgroup.split('\n');
  const named = lines.find((line) => /^\d+:name=systemd:/.test(line));
  const line = named ?? lines.find((each) => each.startsWith('0::'));
  return line?.slice(line.indexOf(':/') + 1);
}

/** The first unit in a path that is not a slice, and the elements after it. */
function nextUnit(elements: readonly string[]): [string | undefined, readonly string[]] {
  const index = elements.findIndex((element) => !isUnit(element) || !element.endsWith('.slice'));
  const name = elements[index];
  if (name === undefined || !isUnit(name) || name.endsWith('.slice')) return [undefined, []];
  return [name, elements.slice(index + 1)];
}

/** systemd writes `_` before names that the kernel uses itself, such as those that begin with `cpu.`. */
function unescaped(element: string): string {
  return element.replace(/^_/, '');
}

function isUnit(name: string): boolean {
  return name.length <= NAME_MAXIMUM && UNIT.test(name);
}
