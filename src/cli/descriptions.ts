/** Descriptions of interfaces, from files of introspection data and from objects. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import { printable } from '../base/printable.js';
import type { InterfaceDescription, NodeDescription, Problem } from '../index.js';
import { CommandFailure, UsageFailure } from './failure.js';
import { introspected, objectPlace } from './introspection.js';
import { library } from './library.js';
import type { Session } from './session.js';

/** Interfaces from one origin. */
export interface Described {
  /** The name of the file, or the path of the object. */
  readonly origin: string;
  readonly interfaces: readonly InterfaceDescription[];
  /** Those of the nodes within. */
  readonly inner: readonly InterfaceDescription[];
}

/** The interfaces that every object may have, which busbar itself has. */
export const STANDARD = /^org\.freedesktop\.DBus\.(Peer|Introspectable|Properties|ObjectManager)$/;

/**
 * The interfaces that files describe.
 *
 * @throws (rejects) {@link CommandFailure} if a file cannot be read, or is not introspection data
 */
export function describedByFiles(files: readonly string[]): Promise<readonly Described[]> {
  return tellingProblems(() =>
    Promise.all(
      files.map(async (origin) => {
        try {
          const xml = await readFile(origin, 'utf8');
          return describedBy(origin, library.parseIntrospection(xml, { origin, documentation: true }));
        } catch (error) {
          throw new CommandFailure(`${origin}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }),
    ),
  );
}

/** The interfaces that objects of a service say they have. */
export function describedByObjects(
  session: Session,
  [name, ...paths]: readonly string[],
): Promise<readonly Described[]> {
  if (name === undefined || paths.length === 0)
    throw new UsageFailure('expected a NAME and a PATH, or --xml and a FILE');
  return tellingProblems(async () => {
    const bus = await session.connect();
    return await Promise.all(
      paths.map(async (path) => describedBy(path, await introspected(session, bus, objectPlace([name, path])))),
    );
  });
}

function describedBy(origin: string, { interfaces, children }: NodeDescription): Described {
  const within = [...children.values()].map((child) => describedBy(origin, child));
  const inner = within.flatMap((each) => [...each.interfaces, ...each.inner]);
  return { origin, interfaces: [...interfaces.values()], inner };
}

/** Prints what is left out of introspection data to standard error. */
async function tellingProblems<T>(work: () => Promise<T>): Promise<T> {
  const tell = (message: unknown): void => {
    const { kind, message: text } = message as Problem;
    if (kind === 'introspection') process.stderr.write(`busbar: ${printable(text)}\n`);
  };
  subscribe('busbar:problem', tell);
  try {
    return await work();
  } finally {
    unsubscribe('busbar:problem', tell);
  }
}
