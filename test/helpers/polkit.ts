/**
 * The real polkitd on a private bus. It reads actions and rules from folders that cannot be chosen, so it runs in a mount
 * namespace of its own, where the folders of the test are in their places.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './exit-cleanup.js';
import { programPath } from './paths.js';
import { FOREVER, Program } from './program.js';

const DAEMONS = ['/usr/lib/polkit-1/polkitd', '/usr/libexec/polkitd'];

const polkitd = DAEMONS.find((path) => existsSync(path));

/** Why polkitd cannot run on this machine; `undefined` if it can. */
export function missingPolkit(): string | undefined {
  if (polkitd === undefined) return 'polkitd not installed';
  if (process.getuid?.() !== 0) return 'only root can start polkitd';
  return programPath('unshare') === undefined ? 'unshare not installed' : undefined;
}

/** An action: what polkit says about it without a rule, by the words of polkit's `.policy` files. */
type Actions = Readonly<Record<string, 'yes' | 'no' | 'auth_self' | 'auth_admin' | 'auth_self_keep'>>;

interface PolkitOptions {
  readonly address: string;
  readonly actions: Actions;
  /** The text of a rules file, in JavaScript. */
  readonly rules?: string;
}

/** `await using polkit = await Polkit.start({ address, actions })` */
export class Polkit {
  readonly #program: Program;
  readonly #folder: string;
  readonly #forget: () => void;

  static async start({ address, actions, rules = '' }: PolkitOptions): Promise<Polkit> {
    const folder = mkdtempSync(join(tmpdir(), 'busbar-polkit-'));
    chmodSync(folder, 0o755);
    for (const name of ['actions', 'rules', 'none', 'state']) mkdirSync(join(folder, name), { mode: 0o755 });
    writeFileSync(join(folder, 'actions', 'org.example.busbar.policy'), policyOf(actions), { mode: 0o644 });
    writeFileSync(join(folder, 'rules', '10-busbar.rules'), rules, { mode: 0o644 });
    const places = [
      ['actions', '/usr/share/polkit-1/actions'],
      ['rules', '/etc/polkit-1/rules.d'],
      ['none', '/usr/share/polkit-1/rules.d'],
    ];
    // polkitd looks users' sessions up in files of systemd; the machine's own sessions are none of the test's concern.
    const mounts = places.map(([name, place]) => `mkdir -p ${place} && mount --bind ${folder}/${name} ${place}`);
    const script = `${mounts.join(' && ')} && exec ${polkitd} --no-debug`;
    const program = Program.start('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script], {
      env: { DBUS_SYSTEM_BUS_ADDRESS: address },
      timeLimit: FOREVER,
    });
    program.keepsAlive(false);
    return new Polkit(program, folder);
  }

  private constructor(program: Program, folder: string) {
    this.#program = program;
    this.#folder = folder;
    this.#forget = onExit(() => rmSync(folder, { recursive: true, force: true }));
  }

  get log(): string {
    return this.#program.stdout + this.#program.stderr;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    this.#forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function policyOf(actions: Actions): string {
  const elements = Object.entries(actions).map(
    ([id, answer]) => `
  <action id="${id}">
    <description>${id}</description>
    <message>Authentication is required for ${id}</message>
    <defaults>
      <allow_any>${answer}</allow_any>
      <allow_inactive>${answer}</allow_inactive>
      <allow_active>${answer}</allow_active>
    </defaults>
  </action>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/PolicyKit/1/policyconfig.dtd">
<policyconfig>${elements.join('')}
</policyconfig>
`;
}
