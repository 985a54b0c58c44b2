/**
 * The settings of users: the same programs compile, and the same lines of them do not, with any settings. The package is
 * found as an installed one, by its package.json.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../setup/report.mjs';
import { compile, versionOf } from './compilers.mjs';

const programs = join(root, 'test/types/settings');

/** How modules are written and found. An ES module is in a package with `"type": "module"`. */
const modules = (oldest) => [
  ['node16', { module: 'node16' }, 'module'],
  ['node16, CommonJS', { module: 'node16' }, 'commonjs'],
  ['nodenext', { module: 'nodenext' }, 'module'],
  ['nodenext, CommonJS', { module: 'nodenext' }, 'commonjs'],
  ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, 'module'],
  // The newest TypeScript has no resolution any more that does not know `exports`.
  ['CommonJS', { module: 'commonjs', ...(oldest ? { moduleResolution: 'node10' } : {}) }, 'commonjs'],
];

/**
 * Compiles the programs with every setting, and returns how many settings passed and failed.
 *
 * @param folder a new one below the project, for the projects of the settings
 * @param compilers the package.json of the oldest and of the newest TypeScript
 */
export function checkSettings(folder, { oldest, newest }) {
  const outcome = { passed: 0, failed: 0 };
  for (const [title, compiler, project] of projects(folder, { oldest, newest })) {
    const { output: complaints } = compile(compiler, join(project, 'tsconfig.json'));
    outcome[complaints === '' ? 'passed' : 'failed']++;
    if (complaints !== '') console.log(`${title}:\n${complaints.trimEnd()}`);
  }
  console.log(`settings of users: ${outcome.passed} passed, ${outcome.failed} failed`);
  return outcome;
}

function* projects(folder, { oldest, newest }) {
  const initial = projectIn(folder, 'init', 'module');
  spawnSync(process.execPath, [join(dirname(newest), 'bin/tsc'), '--init', '--noEmit'], { cwd: initial });
  yield ['tsc --init of the newest TypeScript', newest, initial];
  for (const [compiler, isOldest] of [
    [newest, false],
    [oldest, true],
  ]) {
    const version = versionOf(compiler);
    for (const [how, options, type] of modules(isOldest)) {
      // Without errors in the declarations both are the same; the newest shows that, and the oldest is slow.
      for (const skipLibCheck of isOldest ? [false] : [true, false]) {
        const title = `TypeScript ${version}, ${how}, skipLibCheck ${skipLibCheck}`;
        const project = projectIn(folder, title.replace(/\W+/g, '-'), type);
        const compilerOptions = {
          target: 'es2022',
          strict: true,
          types: [],
          skipLibCheck,
          declaration: true,
          noEmit: true,
          ...options,
        };
        writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
        yield [title, compiler, project];
      }
    }
  }
}

function projectIn(folder, name, type) {
  const project = join(folder, name);
  cpSync(programs, project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type }));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules/busbar'));
  return project;
}
