/**
 * Objects of programs that are installed, started on a private bus. A recorder has a folder of its own as the home of its
 * programs, and everything ends with it.
 */
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { connect, type MessageBus } from 'busbar';
import { PrivateBus } from '../../../test/helpers/private-bus.js';
import { FOREVER, Program } from '../../../test/helpers/program.js';

/** A bus with a program on it. */
export class Stage {
  readonly bus: MessageBus;
  readonly address: string;
  readonly #home = mkdtempSync(join(tmpdir(), 'busbar-stage-'));
  readonly #programs: Program[] = [];

  constructor(bus: MessageBus, address: string) {
    this.bus = bus;
    this.address = address;
  }

  /** Runs a recording on a new bus, which allows everything. */
  static async use<T>(record: (stage: Stage) => Promise<T>): Promise<T> {
    const policy = '<policy context="default"><allow own="*"/><allow send_destination="*"/><allow user="*"/></policy>';
    await using daemon = await PrivateBus.start({ type: 'system', policy });
    const bus = await connect({ address: daemon.address });
    const stage = new Stage(bus, daemon.address);
    try {
      return await record(stage);
    } finally {
      await stage.#end();
    }
  }

  /** Starts a program. As another user, if it does not run as root. */
  start(
    command: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    uid?: number,
  ): Program {
    if (uid !== undefined) chownSync(this.#home, uid, uid);
    const places = {
      HOME: this.#home,
      XDG_RUNTIME_DIR: this.#home,
      XDG_DATA_HOME: this.#home,
      XDG_CONFIG_HOME: this.#home,
    };
    const buses = { DBUS_SESSION_BUS_ADDRESS: this.address, DBUS_SYSTEM_BUS_ADDRESS: this.address };
    const user = uid === undefined ? {} : { uid, gid: uid };
    const options = { env: { ...places, ...buses, ...env }, cwd: this.#home, timeLimit: FOREVER, ...user };
    const program = Program.start(command, args, options);
    this.#programs.push(program);
    return program;
  }

  /** The introspection data of an object, when its name has an owner. */
  async introspect(name: string, path: string): Promise<string> {
    await this.bus.waitForName(name, { timeout: 30_000 });
    const member = { interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' };
    const [xml] = await this.bus.call({ destination: name, path, ...member });
    return String(xml);
  }

  /** Calls a method of an interface below a prefix, and returns its results. */
  async call(
    name: string,
    path: string,
    prefix: string,
    method: string,
    signature: string,
    body: readonly unknown[],
  ): Promise<readonly unknown[]> {
    const [interfaceName, member = ''] = method.split('.');
    const call = { destination: name, path, interface: `${prefix}.${interfaceName}`, member, signature, body };
    return await this.bus.call(call);
  }

  /** Asks again until there is an answer. */
  async until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      await setTimeout(50);
    }
    throw new Error(`waited in vain for ${what}`);
  }

  /** The unique names on the bus. */
  async names(): Promise<readonly string[]> {
    return (await this.bus.listNames()).filter((name) => name.startsWith(':'));
  }

  async #end(): Promise<void> {
    await this.bus.close();
    for (const program of this.#programs.reverse()) {
      program.kill('SIGTERM');
      await program.finished.catch(() => {});
    }
    rmSync(this.#home, { recursive: true, force: true });
  }
}
