/** xdg-dbus-proxy in front of a bus, as in Flatpak and firejail: it reads the handshake and every header. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './exit-cleanup.js';
import { missingPrograms, programPath } from './paths.js';
import { FOREVER, Program } from './program.js';
import { until } from './until.js';

const PROGRAM = 'xdg-dbus-proxy';

/** `await using proxy = await FilterProxy.start(bus.address, '--own=org.example.*')` */
export class FilterProxy {
  /** The address of the bus behind the proxy. */
  readonly address: string;
  readonly #folder: string;
  readonly #program: Program;
  readonly #forget: () => void;

  /** Why it is missing on this machine; `undefined` if it exists. */
  static missing(): string | undefined {
    return missingPrograms(PROGRAM);
  }

  static async start(address: string, ...policies: readonly string[]): Promise<FilterProxy> {
    const folder = mkdtempSync(join(tmpdir(), 'busbar-proxy-'));
    const socket = join(folder, 'bus');
    const args = [address, socket, '--filter', ...policies];
    const proxy = new FilterProxy(folder, Program.start(programPath(PROGRAM) as string, args, { timeLimit: FOREVER }));
    await until(() => isListenedAt(socket));
    return proxy;
  }

  private constructor(folder: string, program: Program) {
    this.#folder = folder;
    this.#program = program;
    this.address = `unix:path=${join(folder, 'bus')}`;
    this.#forget = onExit(() => rmSync(folder, { recursive: true, force: true }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
    this.#forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Whether clients can connect. The file exists a moment earlier, before the proxy listens. */
function isListenedAt(path: string): boolean {
  const listening = 0x10000;
  return readFileSync('/proc/net/unix', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some((fields) => fields[7] === path && (Number.parseInt(fields[3] ?? '', 16) & listening) !== 0);
}
