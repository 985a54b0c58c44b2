/**
 * A dbus-daemon with further settings than {@link PrivateBus}: its authentication mechanisms, its user, and its address.
 */
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busConfiguration } from './bus-configuration.js';
import { onExit } from './exit-cleanup.js';
import { programPath } from './paths.js';
import { FOREVER, Program } from './program.js';

export interface DaemonConfiguration {
  /** The accepted authentication mechanisms. */
  readonly auth?: readonly string[];
  /** The user of the bus; the present one if left out. Only root may start it for others. */
  readonly uid?: number;
  /** The address to listen on; a unix socket that every user can reach if left out. */
  readonly listen?: string;
}

/** `await using daemon = await ConfiguredDaemon.start({ auth: ['ANONYMOUS'] })` */
export class ConfiguredDaemon {
  /** Its address, with its guid. */
  readonly address: string;
  readonly #folder: string;
  readonly #program: Program;
  readonly #forget: () => void;

  static async start({ auth = ['EXTERNAL'], uid, listen }: DaemonConfiguration): Promise<ConfiguredDaemon> {
    const folder = mkdtempSync(join(tmpdir(), 'busbar-daemon-'));
    chmodSync(folder, 0o755);
    if (uid !== undefined) chownSync(folder, uid, uid);
    const address = listen ?? `unix:path=${join(folder, 'bus')}`;
    const mechanisms = auth.map((mechanism) => `<auth>${mechanism}</auth>`);
    if (auth.includes('ANONYMOUS')) mechanisms.push('<allow_anonymous/>');
    const options = { include: undefined, serviceFolder: undefined, limits: {} };
    const text = busConfiguration({ type: 'session', address, ...options });
    const file = join(folder, 'bus.conf');
    writeFileSync(file, text.replace('<auth>EXTERNAL</auth>', mechanisms.join('')));
    const args = [`--config-file=${file}`, '--nofork', '--nopidfile', '--nosyslog', '--print-address=1'];
    const user = uid === undefined ? {} : { uid, gid: uid };
    const program = Program.start(programPath('dbus-daemon') as string, args, { ...user, timeLimit: FOREVER });
    return new ConfiguredDaemon(folder, program, await program.line(/^(unix|tcp):/));
  }

  private constructor(folder: string, program: Program, address: string) {
    this.#folder = folder;
    this.#program = program;
    this.address = address;
    this.#forget = onExit(() => rmSync(folder, { recursive: true, force: true }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
    this.#forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
