/** A private dbus-daemon in a temporary folder, which ends with the process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Bus {
  readonly address: string;
  readonly process: ChildProcess;
}

export const folder = mkdtempSync(join(tmpdir(), 'busbar-native-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

export async function startBus(): Promise<Bus> {
  const args = ['--session', '--nofork', '--nopidfile', '--print-address=1', `--address=unix:tmpdir=${folder}`];
  const daemon = spawn('dbus-daemon', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(daemon.stdout, 'data')) as [Buffer];
  return { address: line.toString().trim(), process: daemon };
}

export async function stopBus({ process: daemon }: Bus): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  daemon.kill();
  await once(daemon, 'exit');
}
