/**
 * The compilers whose decorators must work, each as a function from source text to JavaScript. The TypeScript compiler is
 * run as a program, because its newest version has no other interface.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { projectRoot } from '../helpers/paths.js';

type Dialect = 'standard' | 'legacy';

export interface Compiler {
  readonly name: string;
  readonly dialect: Dialect;
  /**
   * Compiles a source file to JavaScript.
   *
   * @param folder an empty folder for intermediate files
   */
  compile(source: string, folder: string): Promise<string>;
}

const require = createRequire(import.meta.url);
const typescript = require.resolve('typescript/package.json');
const oldestTypescript = createRequire(join(projectRoot, 'test/types/oldest/')).resolve('typescript/package.json');

/**
 * @param manifest TypeScript's package.json
 * @param options as in tsconfig.json, besides those of every run
 */
function tsc(manifest: string, dialect: Dialect, options: object): Compiler {
  const { version } = require(manifest) as { version: string };
  return {
    name: `TypeScript ${version}, ${describeOptions({ dialect, ...options })}`,
    dialect,
    async compile(source, folder) {
      const input = join(folder, 'compiled.mts');
      writeFileSync(input, readFileSync(source));
      const compilerOptions = {
        target: 'es2022',
        module: 'nodenext',
        experimentalDecorators: dialect === 'legacy',
        skipLibCheck: true,
        types: [],
        outDir: folder,
        rootDir: folder,
        ...options,
      };
      const project = join(folder, 'tsconfig.json');
      // It reports errors, because it finds no types of busbar here; only the emitted code matters. Types have their own
      // tests.
      writeFileSync(project, JSON.stringify({ compilerOptions, files: [input] }));
      spawnSync(process.execPath, [join(dirname(manifest), 'bin', 'tsc'), '-p', project], { cwd: folder });
      return readFileSync(join(folder, 'compiled.mjs'), 'utf8');
    },
  };
}

function esbuild(dialect: Dialect, compilerOptions: object): Compiler {
  return {
    name: `esbuild, ${describeOptions({ dialect, ...compilerOptions })}`,
    dialect,
    async compile(source) {
      const { transform } = await import('esbuild');
      const experimentalDecorators = dialect === 'legacy';
      const { code } = await transform(readFileSync(source, 'utf8'), {
        loader: 'ts',
        target: 'es2022',
        tsconfigRaw: { compilerOptions: { experimentalDecorators, ...compilerOptions } },
      });
      return code;
    },
  };
}

function swc(dialect: Dialect, transformOptions: object): Compiler {
  return {
    name: `swc, ${describeOptions({ dialect, ...transformOptions })}`,
    dialect,
    async compile(source) {
      const { transform } = await import('@swc/core');
      const { code } = await transform(readFileSync(source, 'utf8'), {
        configFile: false,
        swcrc: false,
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: dialect === 'legacy', ...transformOptions },
          target: 'es2022',
        },
        module: { type: 'es6' },
      });
      return code;
    },
  };
}

/** The part of Babel that is used here; it has no types of its own. */
interface Babel {
  transformAsync(code: string, options: object): Promise<{ readonly code?: string | null } | null>;
}

/** @param plugins the plugins that follow, for this version of decorators */
function babel(dialect: Dialect, version: string, plugins: readonly (readonly [string, object])[] = []): Compiler {
  return {
    name: `Babel, ${[version, ...plugins.map(([name, options]) => `${name} ${JSON.stringify(options)}`)].join(', ')}`,
    dialect,
    async compile(source) {
      const { transformAsync } = require('@babel/core') as Babel;
      const result = await transformAsync(readFileSync(source, 'utf8'), {
        filename: source,
        configFile: false,
        babelrc: false,
        presets: ['@babel/preset-typescript'],
        plugins: [['@babel/plugin-proposal-decorators', { version }], ...plugins.map((plugin) => [...plugin])],
      });
      return result?.code ?? '';
    },
  };
}

function describeOptions(options: object): string {
  return Object.entries(options)
    .map(([key, value]) => (key === 'dialect' ? String(value) : `${key} ${value}`))
    .join(', ');
}

export const compilers: readonly Compiler[] = [
  ...[typescript, oldestTypescript].flatMap((version) => [
    tsc(version, 'standard', {}),
    tsc(version, 'standard', { useDefineForClassFields: false }),
    tsc(version, 'legacy', { useDefineForClassFields: true }),
    tsc(version, 'legacy', { useDefineForClassFields: false }),
  ]),
  esbuild('standard', {}),
  esbuild('legacy', { useDefineForClassFields: true }),
  esbuild('legacy', { useDefineForClassFields: false }),
  swc('standard', { decoratorVersion: '2022-03' }),
  swc('standard', { decoratorVersion: '2023-11' }),
  swc('legacy', { useDefineForClassFields: true }),
  swc('legacy', { useDefineForClassFields: false }),
  babel('standard', '2023-11'),
  babel('standard', '2023-05'),
  babel('legacy', 'legacy', [['@babel/plugin-transform-class-properties', { loose: false }]]),
  babel('legacy', 'legacy', [['@babel/plugin-transform-class-properties', { loose: true }]]),
];
