/** Libraries that export results of busbar: their declarations can name its types, and importers get the same types. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/report.mjs';
import { compile, versionOf } from './compilers.mjs';
import { installedProject } from './installed.mjs';

const sources = join(root, 'test/types/declared');

/**
 * Emits the declarations of a library with every compiler and compiles its user against them; returns how many passed and
 * failed.
 *
 * @param folder a new one below the project
 * @param compilers each as its package.json
 */
export function checkDeclarations(folder, compilers) {
  const outcome = { passed: 0, failed: 0 };
  const [library, user] = readdirSync(sources)
    .sort()
    .map((name) => readFileSync(join(sources, name), 'utf8'));
  for (const compiler of compilers) {
    const version = versionOf(compiler);
    const home = join(folder, `library-${version}`);
    const project = installedProject(
      home,
      { 'library.ts': library },
      { noEmit: false, declaration: true, emitDeclarationOnly: true, outDir: 'out' },
    );
    const { output: emitted } = compile(compiler, project);
    const declarations = emitted === '' ? readFileSync(join(home, 'out/library.d.ts'), 'utf8') : '';
    const importing = { 'library.d.ts': declarations, 'user.ts': user };
    const complaints =
      emitted || compile(compiler, installedProject(join(folder, `user-${version}`), importing)).output;
    outcome[complaints === '' ? 'passed' : 'failed']++;
    if (complaints !== '') console.log(`declarations by TypeScript ${version}:\n${complaints.trimEnd()}`);
  }
  console.log(`declarations of libraries: ${outcome.passed} passed, ${outcome.failed} failed`);
  return outcome;
}
