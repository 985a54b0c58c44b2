/** `busbar doctor`: finds out why connecting does not work, and tells the cure. */
import { existsSync, statSync } from 'node:fs';
import { printable } from '../../base/printable.js';
import type { ConnectOptions } from '../../index.js';
import type { Command } from '../command.js';
import { CommandFailure } from '../failure.js';
import { library } from '../library.js';
import type { Output } from '../output.js';
import type { Session } from '../session.js';
import { showJson } from '../values/show.js';

/** The result of a check. */
interface Finding {
  readonly check: string;
  /** `warning`: not everything works, but most programs do. */
  readonly result: 'ok' | 'warning' | 'failed';
  readonly text: string;
  /** What to do. */
  readonly cure?: string;
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'finds out why connecting does not work',
  docs: 'Both buses are tried, or the one that an option names. The exit code is 1 if a check fails.',
  arguments: [],
  options: [],
  examples: [
    ['busbar doctor', 'checks everything'],
    ['busbar doctor --system --json', 'checks the system bus, for programs'],
  ],
  async run(session) {
    const findings: Finding[] = [runtime(), ...surroundings(), await addon()];
    if (findings.at(-1)?.result === 'ok') findings.push(await sdbus());
    const { session: isSession, system, address, host, machine } = session.options;
    const isChosen = [isSession, system, address, host, machine].some((value) => value !== undefined);
    if (isChosen ? !system && address === undefined && host === undefined && machine === undefined : true) {
      findings.push(runtimeFolder());
    }
    if (isChosen) findings.push(...(await busChecks(session, session.placeName, session.place())));
    else {
      findings.push(...(await busChecks(session, 'the session bus', { bus: 'session' })));
      findings.push(...(await busChecks(session, 'the system bus', { bus: 'system' })));
    }
    if (session.output.json) showJson(session.output, findings);
    else for (const finding of findings) print(session.output, finding);
    const failed = findings.filter(({ result }) => result === 'failed').length;
    if (failed > 0) throw new CommandFailure(failed === 1 ? 'one check failed' : `${failed} checks failed`);
  },
};

function print(output: Output, { check, result, text, cure }: Finding): void {
  const [first = '', ...more] = text.split('\n');
  const marks = {
    ok: output.paint('green', '✓'),
    warning: output.paint('yellow', '!'),
    failed: output.paint('red', '✗'),
  };
  output.line(`${marks[result]} ${output.paint('bold', check)}: ${first}`);
  for (const line of more) output.line(`    ${line.trim()}`);
  if (cure !== undefined) output.line(`  ${output.paint('cyan', '→')} ${cure}`);
}

function runtime(): Finding {
  const text = `Node.js ${process.versions.node} on ${process.platform} ${process.arch}, ${cLibrary()}`;
  const check = 'runtime';
  if (process.platform === 'linux') return { check, result: 'ok', text };
  return { check, result: 'failed', text, cure: 'busbar works on Linux: use a container or a virtual machine' };
}

function cLibrary(): string {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const version = report?.header?.glibcVersionRuntime;
  return version === undefined ? 'musl' : `glibc ${version}`;
}

/** What restricts programs here: a sandbox, a container. */
function surroundings(): Finding[] {
  const check = 'surroundings';
  const sandbox = existsSync('/.flatpak-info') ? 'Flatpak' : process.env.SNAP !== undefined ? 'a snap' : undefined;
  if (sandbox !== undefined) {
    const cure = 'names that the sandbox does not allow look as if they did not exist: change its permissions';
    return [{ check, result: 'warning', text: `this process is in ${sandbox}, which filters the bus`, cure }];
  }
  const isContainer = existsSync('/.dockerenv') || existsSync('/run/.containerenv');
  return isContainer ? [{ check, result: 'ok', text: 'this process is in a container' }] : [];
}

/** Two connected ends need the addon, and nothing else. */
async function addon(): Promise<Finding> {
  const check = 'native addon';
  try {
    const ends = await library.pair();
    await Promise.all(ends.map((end) => end.close()));
    return { check, result: 'ok', text: 'the binary for this machine loads' };
  } catch (error) {
    const lines = linesOf(error);
    return { check, result: 'failed', text: lines.slice(0, -1).join('\n'), cure: (lines.at(-1) ?? '').trim() };
  }
}

/** The library is needed only for some addresses. */
async function sdbus(): Promise<Finding> {
  const check = 'sd-bus library';
  try {
    await library.connect({ address: 'unix:path=/nonexistent/busbar', transport: 'sd-bus' });
  } catch (error) {
    const [first = '', ...rest] = linesOf(error);
    if (/needs an sd-bus library/.test(first)) {
      const cure = [first.replace(/^.*?: /, ''), ...rest].map((line) => line.trim()).join('; ');
      return { check, result: 'warning', text: 'there is none, which only unixexec: addresses need', cure };
    }
  }
  return { check, result: 'ok', text: 'found' };
}

function runtimeFolder(): Finding {
  const check = 'XDG_RUNTIME_DIR';
  const folder = process.env.XDG_RUNTIME_DIR;
  const own = process.getuid?.();
  const cure = 'log in with a session manager, or set it to a folder of this user such as /run/user/1000';
  if (!folder) return { check, result: process.env.DBUS_SESSION_BUS_ADDRESS ? 'ok' : 'warning', text: 'not set' };
  if (!folder.startsWith('/'))
    return { check, result: 'failed', text: `${printable(folder)} is not an absolute path`, cure };
  try {
    const { uid } = statSync(folder);
    if (uid === own) return { check, result: 'ok', text: printable(folder) };
    const text = `${printable(folder)} belongs to the user ${uid}, and this process runs as ${own}`;
    return { check, result: 'warning', text, cure: 'sudo and su keep the variable of the other user: unset it' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { check, result: 'warning', text: `${printable(folder)} cannot be reached (${code})`, cure };
  }
}

/** Cures by what the error of connecting says. The first that matches counts. */
const CURES: readonly (readonly [pattern: RegExp, cure: string])[] = [
  [/did not answer|no reply|ETIMEDOUT|within \d+ ms/, 'the bus is stopped, or too busy: look at its process'],
  [
    /belongs to (another user|user|the user)|rejected this user|owner/i,
    'this is the bus of another user: unset DBUS_SESSION_BUS_ADDRESS and XDG_RUNTIME_DIR, or run as that user',
  ],
  [/guid/, 'the address has the guid of an earlier bus: correct it, or leave guid= out'],
  [/the file exists, but no/, 'a bus has left this socket behind: start the bus again, or log in again'],
  [
    /authentication mechanisms|anonymous/,
    'the server does not accept EXTERNAL, by which the kernel tells the user: enable it, and connect over a Unix socket',
  ],
  [/cannot verify users over TCP/, 'connect over a Unix socket, or forward one with ssh'],
  [/not a D-Bus server|sent too much|is it a bus/, 'another kind of server listens there: correct the address'],
  [/permission denied|EACCES/, 'the permissions of the socket, AppArmor or SELinux forbid it'],
  [
    /ENOENT|was found|does not exist/,
    'start a bus: dbus-run-session -- COMMAND, or log in; in a container, mount the socket',
  ],
  [/ECONNREFUSED/, 'start the bus again'],
  [/address|transport/i, 'correct the address; it looks like unix:path=/run/user/1000/bus'],
];

function cureOf(text: string): string {
  return CURES.find(([pattern]) => pattern.test(text))?.[1] ?? 'DEBUG=busbar shows every step of connecting';
}

async function busChecks(session: Session, name: string, place: ConnectOptions): Promise<Finding[]> {
  const variable = place.bus === 'system' ? 'DBUS_SYSTEM_BUS_ADDRESS' : 'DBUS_SESSION_BUS_ADDRESS';
  const given = place.address === undefined && place.host === undefined && place.machine === undefined;
  const value = given ? process.env[variable] : undefined;
  const from = value ? ` (${variable}=${printable(value)})` : '';
  try {
    const limits = { timeout: session.hasTimeout ? session.limits.timeout : 10_000, signal: session.signal };
    await using bus = await library.connect({ ...place, ...limits });
    const start = performance.now();
    const names = await bus.listNames(limits);
    const time = (performance.now() - start).toFixed(1);
    const text = `connected as ${bus.uniqueName}, ${names.length} names, answers in ${time} ms${from}`;
    const findings: Finding[] = [{ check: name, result: 'ok', text }];
    if (place.bus === 'session' || place.address !== undefined) {
      const filtered = await filter(bus);
      if (filtered !== undefined) findings.push({ check: name, ...filtered });
    }
    return findings;
  } catch (error) {
    const text = linesOf(error).join('\n');
    return [{ check: name, result: 'failed', text, cure: cureOf(text) }];
  }
}

/** Whether a proxy or a policy lets programs own only some names, as in sandboxes. */
async function filter(bus: Awaited<ReturnType<typeof library.connect>>): Promise<Omit<Finding, 'check'> | undefined> {
  try {
    const call = {
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
    };
    const body = [`io.busbar.doctor.p${process.pid}`, 4];
    await bus.call({ ...call, member: 'RequestName', signature: 'su', body });
    return undefined;
  } catch (error) {
    if (!(error instanceof library.DBusError) || error.reply === undefined) throw error;
    return {
      result: 'warning',
      text: 'this process may not own any name: a sandbox (xdg-dbus-proxy) or a policy filters the bus',
      cure: 'allow the names that the program owns and talks to, for instance with flatpak run --own-name=NAME',
    };
  }
}

function linesOf(error: unknown): string[] {
  return (error instanceof Error ? error.message : String(error)).split('\n').map(printable);
}
