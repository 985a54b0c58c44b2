/** Profiles busbar in the workloads that matter most, on dbus-daemon, when the compilers have settled. */
import { readFileSync } from 'node:fs';
import { requirePackages } from '../../scripts/setup/system-packages.mjs';
import { programPath } from '../../test/helpers/paths.js';
import { PrivateBus } from '../../test/helpers/private-bus.js';
import type { Program } from '../../test/helpers/program.js';
import { go, type Report, ready, startProgram } from '../measure/program.js';
import { type PreparedPeer, peers, reference } from '../peers.js';
import { formatted } from '../report/numbers.js';
import { type Workload, workloads } from '../workloads/index.js';
import { owners, recordShares, type Shares } from './perf.js';

const SUBJECT = 'busbar-socket';
const PROFILED = ['calls-100', 'calls-1000', 'signals', 'service'];
const SERVICE = 'org.example.Bench.Profiled';

/** Operations before anything is measured, and while it is: enough for some thousand samples. */
const WARM_UP = 150_000;
const OPERATIONS = 600_000;

interface Profile {
  readonly report: Report;
  readonly wakeUps: number;
  readonly shares: Shares;
}

/** Runs the profiles; returns the exit code. */
export async function main(): Promise<number> {
  requirePackages([
    { name: 'perf', present: () => programPath('perf') !== undefined, packages: { 'apt-get': 'linux-perf' } },
  ]);
  const [driver, subject] = await Promise.all([reference, SUBJECT].map(preparedPeer));
  console.log(['', 'CPU', 'wake-ups', ...owners].map(cell).join(''));
  for (const workload of workloads.filter(({ id }) => PROFILED.includes(id))) {
    await using bus = await PrivateBus.start({ daemon: 'dbus-daemon' });
    const { report, wakeUps, shares } = await profiled(workload, subject, driver, bus.address);
    const cpu = (report.serviceCpu ?? report.cpu) / report.operations;
    const percentages = owners.map((owner) => `${Math.round(100 * shares[owner])} %`);
    console.log([workload.id, formatted('cpu', cpu), wakeUps.toFixed(3), ...percentages].map(cell).join(''));
  }
  return 0;
}

function preparedPeer(wanted: string): Promise<PreparedPeer> {
  return peers.find(({ id }) => id === wanted)!.prepare();
}

function cell(text: string, column: number): string {
  return column === 0 ? text.padEnd(12) : text.padStart(22);
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

/** Profiles one program while another is told what to do: the same one, for a client. */
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

/** How often the process's main thread gave up the processor because it had nothing to do. */
function wakeUpsOf(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
