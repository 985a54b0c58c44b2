/**
 * The command `npm run bench:profile`: how the time for a message is spent, by `perf`, in the most important workloads, on
 * dbus-daemon, once the compilers have settled: the cost of a message, the number of wake-ups of the process, and the code
 * that used the time.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readOptions } from '../scripts/options.mjs';
import { print, table } from '../scripts/report.mjs';
import { requirePackages } from '../scripts/setup/system-packages.mjs';
import { programPath } from '../test/helpers/paths.js';
import { PrivateBus } from '../test/helpers/private-bus.js';
import { FOREVER, outputOf, Program } from '../test/helpers/program.js';
import { go, type Report, ready, startProgram } from './measure.js';
import { type PreparedPeer, peers, reference, subject } from './peers.js';
import { formatted } from './values.js';
import { type Workload, workloads } from './workloads.js';

const owners = ['the kernel', 'Node.js and V8', 'compiled JavaScript', 'the addon', 'rest'] as const;

/** Parts of the whole. */
type Shares = Readonly<Record<(typeof owners)[number], number>>;

/** Milliseconds until perf has attached itself: it does not report that. */
const ATTACHING = 500;

const PROFILED = ['calls-100', 'calls-1000', 'signals', 'service'];
const SERVICE = 'org.example.Bench.Profiled';

/** Operations before the measurement, and during it: enough for some thousand samples. */
const WARM_UP = 150_000;
const OPERATIONS = 600_000;

interface Profile {
  readonly report: Report;
  readonly wakeUps: number;
  readonly shares: Shares;
}

const USAGE = `Usage: npm run bench:profile

  measures how the time for a message is spent, by perf, in the most important workloads.

  --help      prints this text`;

readOptions(USAGE);
await main();

async function main(): Promise<void> {
  requirePackages([
    { name: 'perf', present: () => programPath('perf') !== undefined, packages: { 'apt-get': 'linux-perf' } },
  ]);
  const [driver, measured] = await Promise.all([reference, subject].map(preparedPeer));
  const rows: (readonly string[])[] = [];
  for (const workload of workloads.filter(({ id }) => PROFILED.includes(id))) {
    await using bus = await PrivateBus.start({ daemon: 'dbus-daemon' });
    const { report, wakeUps, shares } = await profiled(
      workload,
      measured as PreparedPeer,
      driver as PreparedPeer,
      bus.address,
    );
    const cpu = formatted('cpu', (report.serviceCpu ?? report.cpu) / report.operations);
    rows.push([
      workload.title,
      cpu,
      wakeUps.toFixed(3),
      ...owners.map((owner) => `${Math.round(100 * shares[owner])} %`),
    ]);
    console.log(rows.at(-1)?.join('  '));
  }
  print(table(['workload', 'CPU', 'wake-ups', ...owners], rows));
}

function preparedPeer(wanted: string): Promise<PreparedPeer> {
  return peers.find(({ id }) => id === wanted)!.prepare();
}

async function profiled(
  { arrangement, program, parameters, driverParameters }: Workload,
  subject: PreparedPeer,
  driver: PreparedPeer,
  address: string,
): Promise<Profile> {
  if (arrangement === 'service') {
    const own = { ...subject.parameters, ...parameters, name: SERVICE };
    await using service = startProgram(subject.command('service'), address, program, own);
    await ready(service);
    const others = { ...driverParameters, destination: SERVICE };
    await using client = startProgram(driver.command('client'), address, 'drive', others);
    await ready(client);
    return await profile(service, client);
  }
  await using service = startProgram(driver.command('service'), address, 'service', {});
  await ready(service);
  const own = { ...subject.parameters, ...parameters };
  await using client = startProgram(subject.command('client'), address, program, own);
  await ready(client);
  return await profile(client, client);
}

/** Profiles one program while another gets the commands: the same one, for a client. */
async function profile(subject: Program, driver: Program): Promise<Profile> {
  await go(driver, WARM_UP);
  const before = wakeUpsOf(subject.pid);
  let report: Report | undefined;
  const shares = await recordShares(subject.pid, async () => {
    report = await go(driver, OPERATIONS);
  });
  const wakeUps = (wakeUpsOf(subject.pid) - before) / OPERATIONS;
  return { report: report as Report, wakeUps, shares };
}

/** How often the process's main thread gave up the processor because it was idle. */
function wakeUpsOf(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Runs `run`, and reports which code a process executed meanwhile. */
async function recordShares(pid: number, run: () => Promise<void>): Promise<Shares> {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-perf-'));
  try {
    const file = join(folder, 'samples');
    const options = ['--event=cpu-clock', '--freq=2000', `--pid=${pid}`, `--output=${file}`];
    await using perf = Program.start('perf', ['record', '--quiet', ...options], { timeLimit: FOREVER });
    await delay(ATTACHING);
    await run();
    perf.kill('SIGINT');
    await perf.finished;
    const listing = ['report', '--stdio', '--quiet', '--sort=dso', '--field-separator=;', `--input=${file}`];
    return sharesOf(await outputOf('perf', listing));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From lines of `12.34% ;file`. */
function sharesOf(listing: string): Shares {
  const shares = Object.fromEntries(owners.map((owner) => [owner, 0])) as Record<(typeof owners)[number], number>;
  for (const [, percentage, file] of listing.matchAll(/^\s*([\d.]+)%\s*;\s*(\S.*?)\s*$/gm)) {
    shares[ownerOf(file as string)] += Number(percentage) / 100;
  }
  return shares;
}

function ownerOf(file: string): keyof Shares {
  const name = basename(file);
  if (name.startsWith('[kernel') || name.startsWith('[guest.kernel')) return 'the kernel';
  if (name === 'node') return 'Node.js and V8';
  if (name.startsWith('[JIT]')) return 'compiled JavaScript';
  return name.endsWith('.node') ? 'the addon' : 'rest';
}
