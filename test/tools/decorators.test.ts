// time limit: 300 s
// Which tool supports which dialect of decorators, as in the table of docs/guide/getting-started.md; all support
// `defineInterface`.
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testUnless } from '../helpers/skip.js';
import { Project } from '../pack/project.js';
import { Registry } from '../pack/registry.js';
import { announce, runtime, type Tool, tool } from './tool.js';

const test = suite('decorators');
// The name in the figures: the first one that is announced.
announce('decorators, by ten tools', process.versions.node);

const esbuild = tool('esbuild', { esbuild: '0.28.2' });
const rolldown = tool('rolldown', { rolldown: '1.3.3' });
const vite = tool('vite', { vite: '8.4.0' });
const vitest = tool('Vitest', { vitest: '5.1.2', vite: '8.4.0' });
const tsup = tool('tsup', { tsup: '9.0.0', typescript: '6.0.3' });
const tsx = tool('tsx', { tsx: '4.23.15' });
const [node24, bun, deno] = ['node24', 'bun', 'deno'].map(runtime) as [Runtime, Runtime, Runtime];
type Runtime = ReturnType<typeof runtime>;

const registry = await Registry.start();
test.after(() => registry.stop());

const imports = `import { defineInterface, implement, method, property, ServiceInterface } from 'busbar';`;
const decorated = (kind: string) => `${imports}
  export class Lamp extends ServiceInterface {
    constructor() { super('org.example.Lamp'); }
    @property({ type: 'u' }) ${kind}Level = 0;
    @method({ in: ['by:u'], out: ['level:u'] }) Raise(by: number): number { return (this.Level += by); }
  }`;
const defined = `${imports.replace('method, property, ServiceInterface', '')}
  const Lamps = defineInterface('org.example.Lamp', { methods: { Raise: { in: ['by:u'], out: ['level:u'] } } });
  export class Lamp { level = 0; Raise(by: number): number { return implement(Lamps, { Raise: (more) => more + by }) && (this.level += by); } }`;

/** How an interface may be written: the file with it, and the configuration of the compiler. */
const ways = {
  standard: { lamp: decorated('accessor '), compilerOptions: {} },
  legacy: { lamp: decorated(''), compilerOptions: { experimentalDecorators: true } },
  defined: { lamp: defined, compilerOptions: {} },
} as const;
type Way = keyof typeof ways;
const all: readonly Way[] = ['standard', 'legacy', 'defined'];

interface Case {
  readonly missing: string | undefined;
  readonly tools?: readonly Tool[];
  /** Commands that run one after the other; scripts are paths in `node_modules`. */
  readonly run: readonly (readonly [command: string, ...args: string[]])[];
  readonly takes: readonly Way[];
}

const node = process.execPath;
const external = ['--platform', 'node', '--external', 'busbar'];
const cases: Readonly<Record<string, Case>> = {
  'node file.ts': { missing: node24.missing, run: [[node24.path, 'main.ts']], takes: ['defined'] },
  Bun: { missing: bun.missing, run: [[bun.path, 'main.ts']], takes: all },
  Deno: { missing: deno.missing, run: [[deno.path, 'run', '--allow-all', 'main.ts']], takes: all },
  tsx: { missing: tsx.missing, tools: [tsx], run: [[node, '--import', 'tsx', 'main.ts']], takes: all },
  'esbuild without a target': {
    ...{ missing: esbuild.missing, tools: [esbuild], takes: ['legacy', 'defined'] },
    run: [
      [node, 'esbuild.mjs', 'esnext'],
      [node, 'out/main.js'],
    ],
  },
  'esbuild with a target': {
    ...{ missing: esbuild.missing, tools: [esbuild], takes: all },
    run: [
      [node, 'esbuild.mjs', 'node20'],
      [node, 'out/main.js'],
    ],
  },
  tsup: {
    ...{ missing: tsup.missing, tools: [tsup], takes: all },
    run: [
      [node, 'tsup/dist/cli-default.js', 'main.ts', '--format', 'esm', '--out-dir', 'out'],
      [node, 'out/main.js'],
    ],
  },
  rolldown: {
    ...{ missing: rolldown.missing, tools: [rolldown], takes: ['legacy', 'defined'] },
    run: [
      [node, 'rolldown/bin/cli.mjs', 'main.ts', ...external, '--file', 'out/main.js'],
      [node, 'out/main.js'],
    ],
  },
  Vite: {
    ...{ missing: vite.missing, tools: [vite], takes: ['legacy', 'defined'] },
    run: [
      [node, 'vite/bin/vite.js', 'build', '--ssr', 'main.ts', '--outDir', 'out'],
      [node, 'out/main.js'],
    ],
  },
  Vitest: {
    ...{ missing: vitest.missing ?? node24.missing, tools: [vitest], takes: ['legacy', 'defined'] },
    run: [[node24.path, 'vitest/vitest.mjs', 'run']],
  },
};

for (const [title, { missing, tools = [], run, takes }] of Object.entries(cases)) {
  testUnless(missing, test, `${title} takes: ${takes.join(', ')}`, async () => {
    for (const way of all) assert.is(await works(way, tools, run), takes.includes(way), `${title}: ${way}`);
  });
}

/** Whether a class in one form works after these commands. */
async function works(way: Way, tools: readonly Tool[], run: Case['run']): Promise<boolean> {
  const { lamp, compilerOptions } = ways[way];
  const project = new Project(registry, { type: 'module' });
  try {
    await project.outputOf('npm', ['install', '--ignore-scripts', 'busbar']);
    for (const one of tools) one.linkInto(project);
    project.write('lamp.ts', lamp);
    project.write('main.ts', `import { Lamp } from './lamp.ts'; console.log('raised', new Lamp().Raise(5));`);
    project.write(
      'lamp.test.ts',
      `import { expect, test } from 'vitest'; import { Lamp } from './lamp.ts';
      test('raises', () => { expect(new Lamp().Raise(5)).toBe(5); console.log('raised 5'); });`,
    );
    project.write('tsconfig.json', JSON.stringify({ compilerOptions: { target: 'es2022', ...compilerOptions } }));
    project.write(
      'esbuild.mjs',
      `import { build } from 'esbuild';
      await build({ entryPoints: ['main.ts'], bundle: true, platform: 'node', format: 'esm', external: ['busbar'],
        outfile: 'out/main.js', target: process.argv[2], tsconfigRaw: ${JSON.stringify({ compilerOptions })} });`,
    );
    let output = '';
    for (const [command, ...args] of run) {
      const scripts = args.map((arg) =>
        /^\w+\/.*\.m?js$/.test(arg) && !arg.startsWith('out/') ? join(project.folder, 'node_modules', arg) : arg,
      );
      output = await project.outputOf(command, scripts, { env: { CI: '1' } });
    }
    return output.includes('raised 5');
  } catch (error) {
    // The output is JavaScript that no engine accepts; another failure is one of this test.
    if (/SyntaxError|Decorators are not valid|decorators/i.test(String(error))) return false;
    throw error;
  } finally {
    project.remove();
  }
}

test.run();
