/**
 * The compiler's errors, which have to name the cure. A program contains them all, and above each line that does not
 * compile a part of the error: `// says: …`. It may contain no other error.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/report.mjs';
import { compilerOutput, installedProject, versionOf } from './installed.mjs';

const source = join(root, 'test/types/cures/cures.ts');
const SAYS = /^\s*\/\/ says: (.*)$/;

/**
 * Compiles the program with every compiler, and with the last in both dialects, and returns how many errors were as
 * expected, and how many were not.
 *
 * @param folder a new one below the project
 * @param compilers each as its package.json
 */
export function checkCures(folder, compilers) {
  const outcome = { passed: 0, failed: 0 };
  const text = readFileSync(source, 'utf8');
  for (const compiler of compilers) {
    // The dialects differ in how the compiler passes the member; once is enough for that.
    for (const experimentalDecorators of compiler === compilers.at(-1) ? [false, true] : [false]) {
      const title = `TypeScript ${versionOf(compiler)}${experimentalDecorators ? ', experimentalDecorators' : ''}`;
      const project = join(folder, title.replace(/\W+/g, '-'));
      installedProject(project, { 'cures.ts': text }, { experimentalDecorators, noErrorTruncation: true });
      const faults = compare(text, errorsIn(compilerOutput(compiler, project, '--noEmit')));
      outcome.passed += text.split('\n').filter((line) => SAYS.test(line)).length - faults.length;
      outcome.failed += faults.length;
      for (const fault of faults) console.log(`${title}: ${fault}`);
    }
  }
  console.log(`errors that name the cure: ${outcome.passed} passed, ${outcome.failed} failed`);
  return outcome;
}

/** The error of each line, including the details below it; in types of strings quotation marks are escaped. */
function errorsIn(output) {
  const errors = [];
  for (const line of output.split('\n')) {
    const [, number] = /^cures\.ts\((\d+),\d+\): error/.exec(line) ?? [];
    if (number !== undefined) errors.push({ line: Number(number), said: line });
    else if (errors.length > 0) errors.at(-1).said += `\n${line}`;
  }
  return errors.map(({ line, said }) => ({ line, said: said.replaceAll('\\', '') }));
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
