/**
 * The compiler's errors, which have to name the cure. Programs contain them all, and above each line that does not
 * compile a part of the error: `// says: …`. They may contain no other error.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/report.mjs';
import { compile, versionOf } from './compilers.mjs';
import { installedProject } from './installed.mjs';

const sources = join(root, 'test/types/cures');
/** The programs for each dialect. Most errors are the same in both. */
const programs = { standard: ['cures.ts', 'standard.ts'], experimentalDecorators: ['cures.ts', 'legacy.ts'] };
const SAYS = /^\s*\/\/ says: (.*)$/;

/**
 * Compiles the programs with every compiler, and with the last in both dialects, and returns how many errors were as
 * expected, and how many were not.
 *
 * @param folder a new one below the project
 * @param compilers each as its package.json
 */
export function checkCures(folder, compilers) {
  const outcome = { passed: 0, failed: 0 };
  for (const compiler of compilers) {
    // The dialects differ in how the compiler passes the member; once is enough for that.
    for (const dialect of compiler === compilers.at(-1) ? Object.keys(programs) : ['standard']) {
      const title = `TypeScript ${versionOf(compiler)}, ${dialect}`;
      const home = join(folder, title.replace(/\W+/g, '-'));
      const texts = Object.fromEntries(
        programs[dialect].map((name) => [name, readFileSync(join(sources, name), 'utf8')]),
      );
      const experimentalDecorators = dialect !== 'standard';
      const project = installedProject(home, texts, { experimentalDecorators, noErrorTruncation: true });
      const errors = errorsIn(compile(compiler, project).output);
      for (const [name, text] of Object.entries(texts)) {
        const faults = compare(
          text,
          errors.filter(({ file }) => file === name),
        );
        outcome.passed += text.split('\n').filter((line) => SAYS.test(line)).length - faults.length;
        outcome.failed += faults.length;
        for (const fault of faults) console.log(`${title}, ${name}: ${fault}`);
      }
    }
  }
  console.log(`errors that name the cure: ${outcome.passed} passed, ${outcome.failed} failed`);
  return outcome;
}

/** The errors with their files and lines, including the details; in types of strings quotation marks are escaped. */
function errorsIn(output) {
  const errors = [];
  for (const line of output.split('\n')) {
    const [, file, number] = /^(\w+\.ts)\((\d+),\d+\): error/.exec(line) ?? [];
    if (number !== undefined) errors.push({ file, line: Number(number), said: line });
    else if (errors.length > 0) errors.at(-1).said += `\n${line}`;
  }
  return errors.map((error) => ({ ...error, said: error.said.replaceAll('\\', '') }));
}

function compare(text, errors) {
  const lines = text.split('\n');
  const expected = lines.flatMap((line, index) => {
    const says = SAYS.exec(line)?.[1];
    return says === undefined ? [] : [{ line: index + 2, says }];
  });
  const unsaid = expected.filter(
    ({ line, says }) => !errors.some((error) => error.line === line && error.said.includes(says)),
  );
  const others = errors.filter((error) => !expected.some(({ line }) => line === error.line || line === error.line - 1));
  return [
    ...unsaid.map(({ line, says }) => {
      const said = errors.filter((error) => error.line === line).map((error) => error.said);
      return `line ${line} does not say ${says}, but ${said.join('\n') || 'nothing'}`;
    }),
    ...others.map(({ said }) => `unexpected: ${said}`),
  ];
}
