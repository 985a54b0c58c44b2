/**
 * The user and group database of the system. Node.js cannot query it, so `getent` and `id` do, which know all of its
 * sources (files, LDAP, systemd). On a machine without these programs the files are read.
 */
import { readFile } from 'node:fs/promises';

/** Milliseconds for which an answer is used again: the members of groups change rarely, and calls may be many. */
const KEPT = 2000;
/** Milliseconds for a program. */
const LIMIT = 10_000;

/** The fields by which a line is found. */
const Field = { Name: 0, Id: 2 } as const;
type Field = (typeof Field)[keyof typeof Field];

const known = new Map<string, { readonly value: Promise<string | undefined>; readonly until: number }>();

/** The id of a user; `undefined` if there is none of that name. */
export async function userId(name: string): Promise<number | undefined> {
  return numberAt((await entry('passwd', name, Field.Name))?.split(':')[2]);
}

/** The id of a group; `undefined` if there is none of that name. */
export async function groupId(name: string): Promise<number | undefined> {
  return numberAt((await entry('group', name, Field.Name))?.split(':')[2]);
}

/**
 * The ids of the groups of a user, as `initgroups` finds them: the primary group, and all that list the user.
 *
 * @throws (rejects) if there is no such user
 */
export async function groupsOf(uid: number): Promise<readonly number[]> {
  const [name, , , gid] = (await entry('passwd', `${uid}`, Field.Id))?.split(':') ?? [];
  if (name === undefined) throw new Error(`the user database has no uid ${uid}`);
  const listed = await remembered(`groups ${name}`, () => run('id', ['-G', '--', name]));
  const ids = listed?.trim().split(/\s+/) ?? (await groupsInFile(name));
  return [gid, ...ids].flatMap((id) => numberAt(id) ?? []);
}

/** A line of the database. `getent` takes digits for an id, even if a name was meant, so what it finds is compared. */
function entry(database: 'passwd' | 'group', key: string, field: Field): Promise<string | undefined> {
  return remembered(`${database} ${field} ${key}`, async () => {
    const found = await run('getent', ['--', database, key]);
    const lines = found?.split('\n') ?? (await linesOf(database));
    return lines.find((line) => line.split(':')[field] === key);
  });
}

async function groupsInFile(name: string): Promise<string[]> {
  const fields = (await linesOf('group')).map((line) => line.split(':'));
  return fields.filter(([, , , members]) => members?.split(',').includes(name)).map(([, , gid]) => gid ?? '');
}

async function linesOf(database: string): Promise<string[]> {
  return (await readFile(`/etc/${database}`, 'utf8')).split('\n');
}

/** The output of a program; empty if it found nothing, `undefined` if it is not installed. */
async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  const { execFile } = await import('node:child_process');
  // Not the PATH of the environment, which must not decide about permissions.
  const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' };
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: LIMIT }, (error, output) => {
      resolve(error?.code === 'ENOENT' ? undefined : error === null ? output : '');
    });
  });
}

function remembered(key: string, find: () => Promise<string | undefined>): Promise<string | undefined> {
  const now = performance.now();
  for (const [each, { until }] of known) if (until <= now) known.delete(each);
  const answer = known.get(key)?.value ?? find();
  if (!known.has(key)) known.set(key, { value: answer, until: now + KEPT });
  return answer;
}

function numberAt(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
