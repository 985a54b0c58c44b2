/** clang-tidy over native/, with the checks of `.clang-tidy`. Every warning is an error there. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root, runQuietly } from '../setup/report.mjs';

const build = join(root, 'build', 'tidy');
const AT_ONCE = 2;

export async function tidy() {
  runQuietly('cmake', [
    ...['-S', root, '-B', build, '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_COMPILER=clang++'],
    ...['-DBUSBAR_TESTS=ON'],
  ]);
  const commands = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'));
  const files = [...new Set(commands.map(({ file }) => file))].sort();
  const findings = new Set();
  const queue = [...files];
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) await check(file, findings);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const finding of findings) console.log(finding);
  const version = /version (\S+)/.exec(runQuietly('clang-tidy', ['--version']))[1];
  return { 'clang-tidy': version, files: files.length, findings: findings.size };
}

/** A header's finding comes with every file that includes it, and counts once. */
async function check(file, findings) {
  const child = spawn('clang-tidy', ['--quiet', '-p', build, file], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let trouble = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    trouble += text;
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  const before = findings.size;
  for (const [line] of output.matchAll(/^.*: (?:warning|error): .*$/gm)) findings.add(line.replace(`${root}/`, ''));
  const silent = status !== 0 && !/: (?:warning|error): /.test(output);
  if (silent) findings.add(`${relative(root, file)}: clang-tidy ended with ${status}\n${trouble}`);
  if (findings.size > before) console.log(`clang-tidy ${relative(root, file)}: ${findings.size - before}`);
}
