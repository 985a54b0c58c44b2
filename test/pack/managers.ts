/**
 * Package managers from npm, besides the installed npm: how each is obtained, how it installs busbar without running a
 * script, and how its projects run.
 */
import { runtimes } from '../../scripts/runtimes/list.mjs';
import { SetupError } from '../../scripts/setup/report.mjs';
import { installRuntime, type RuntimePackage } from '../../scripts/setup/runtime-packages.mjs';

export interface Manager {
  readonly title: string;
  readonly package: RuntimePackage;
  /** Whether Node.js has to run its executable. */
  readonly isScript?: boolean;
  /** The files that it needs in a project first. */
  readonly files?: Readonly<Record<string, string>>;
  readonly install: readonly string[];
  /** The arguments with which it runs a file. Without them Node.js does. */
  readonly run?: readonly string[];
}

const runtimePackage = (id: string) => runtimes.find((runtime) => runtime.id === id)?.package as RuntimePackage;

const yarn = (title: string, nodeLinker: string): Manager => ({
  title,
  package: { name: '@yarnpkg/cli-dist', version: '4.18.1', executable: 'bin/yarn.js' },
  isScript: true,
  files: {
    '.yarnrc.yml': `nodeLinker: ${nodeLinker}\nenableScripts: false\nenableTelemetry: false\n`,
    // Without it Yarn takes the project for a part of a project above it.
    'yarn.lock': '',
  },
  install: ['add', 'busbar'],
  run: ['node'],
});

const npm = (version: string): Manager => ({
  title: 'npm',
  package: { name: 'npm', version, executable: 'bin/npm-cli.js' },
  isScript: true,
  install: ['install', '--ignore-scripts', 'busbar'],
});

export const managers = {
  /** The version that comes with the oldest supported Node.js. */
  oldNpm: npm('10.8.2'),
  /** It runs no script of a dependency unless it is told to. */
  newNpm: { ...npm('12.2.0'), install: ['install', 'busbar'] },
  pnpm: {
    title: 'pnpm',
    package: { name: '@pnpm/exe.linux-x64', version: '12.21.0', executable: 'pnpm' },
    install: ['add', '--ignore-scripts', 'busbar'],
  },
  yarn: yarn('Yarn, node-modules', 'node-modules'),
  plugAndPlay: yarn("Yarn, Plug'n'Play", 'pnp'),
  bun: {
    title: 'Bun',
    package: runtimePackage('bun'),
    install: ['add', '--ignore-scripts', 'busbar'],
    run: ['run'],
  },
  deno: {
    title: 'Deno',
    package: runtimePackage('deno'),
    // Deno runs scripts of the packages that it is told, and of no others.
    install: ['add', 'npm:busbar'],
    run: ['run', '--allow-all'],
  },
} satisfies Record<string, Manager>;

/** The path of the manager's executable, which is installed if possible; otherwise the reason why it is missing. */
export function obtain(manager: Manager): { readonly path: string } | { readonly missing: string } {
  try {
    return { path: installRuntime(manager.package) };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { missing: error.message };
  }
}
