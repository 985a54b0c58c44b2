/**
 * An empty project of a user of busbar: a folder outside of this one, with a separate home, so that no package manager
 * finds a cache or configuration.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { onExit } from '../helpers/exit-cleanup.js';
import { outputOf, Program, type ProgramOptions } from '../helpers/program.js';
import { readmePrograms } from '../helpers/readme.js';
import type { Registry } from './registry.js';

export class Project {
  /** It contains everything of the project, including its home and the caches. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'busbar-project-'));
  readonly folder = join(this.#folder, 'app');
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(registry: Registry, manifest: object = {}) {
    onExit(() => this.remove());
    this.#env = environment(join(this.#folder, 'home'), registry.url);
    mkdirSync(this.folder);
    this.write('.npmrc', `registry=${registry.url}\n`);
    this.write('package.json', JSON.stringify({ name: 'app', version: '1.0.0', private: true, ...manifest }));
  }

  write(name: string, text: string): void {
    mkdirSync(join(this.folder, name, '..'), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /**
   * Writes the programs of the README as JavaScript: decorators and `await using` are compiled to code that every runtime
   * has.
   */
  writeQuickstart(): void {
    for (const [name, code] of readmePrograms()) {
      const options = { loader: 'ts', target: 'es2022', tsconfigRaw: {} } as const;
      this.write(name.replace(/\.ts$/, '.js'), transformSync(code, options).code);
    }
  }

  start(command: string, args: readonly string[], { env, ...options }: ProgramOptions = {}): Program {
    return Program.start(command, args, {
      cwd: this.folder,
      timeLimit: 60_000,
      ...options,
      env: { ...this.#env, ...env },
    });
  }

  /** Runs a program to its end and returns its standard output; rejects with all output unless it exits with 0. */
  outputOf(command: string, args: readonly string[], { env, ...options }: ProgramOptions = {}): Promise<string> {
    const defaults = { cwd: this.folder, timeLimit: 120_000 };
    return outputOf(command, args, { ...defaults, ...options, env: { ...this.#env, ...env } });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** No variables of the caller's package manager; Yarn does not read `.npmrc`. */
function environment(home: string, registry: string): Record<string, string | undefined> {
  const inherited = Object.keys(process.env).filter((name) =>
    /^(npm|yarn|pnpm|bun|deno|xdg|node)_|^INIT_CWD$/i.test(name),
  );
  return {
    ...Object.fromEntries(inherited.map((name) => [name, undefined])),
    HOME: home,
    npm_config_cache: join(home, 'npm'),
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    // The packed files are tested, not those that were built on this machine.
    PREBUILDS_ONLY: '1',
  };
}
