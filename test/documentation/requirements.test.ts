// The requirements in the documentation are those of the project and its tests.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { targets } from '../../scripts/prebuilds/targets.mjs';
import { allSuites } from '../../scripts/test/suites.mjs';
import * as busbar from '../../src/index.js';
import { projectRoot } from '../helpers/paths.js';

const test = suite('requirements of the documentation');

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8').replace(/\s+/g, ' ');

/** The text that a pattern captures in a file, which must match. */
function stated(path: string, pattern: RegExp): string {
  const found = pattern.exec(read(path))?.[1];
  assert.type(found, 'string', `${path}: ${pattern}`);
  return found as string;
}

test('the oldest Node.js is that of package.json', () => {
  const oldest = stated('package.json', /"node": ">=([\d.]+)"/);
  assert.is(stated('README.md', /Node\.js ([\d.]+\d) or newer/), oldest);
  assert.is(stated('docs/versions.md', /## Node\.js ([\d.]+\d) and newer/), oldest);
});

test('the licence and the machines of the README are those of the package', () => {
  assert.is(stated('README.md', /(\w+) licence/), stated('package.json', /"license": "(\w+)"/));
  const machines = stated('README.md', /Linux on (.+?), with/).split(/, | and /);
  const built = targets.map(({ arch }) => (arch === 'arm' ? 'armv7' : arch));
  assert.equal(machines.sort(), [...new Set(built)].sort());
  const withMusl = targets.filter(({ libc }) => libc === 'musl').map(({ arch }) => arch);
  assert.equal(stated('README.md', /; on (.+?) also with musl/).split(/, | and /), withMusl);
});

test('the chart of the README has the figures of the report', () => {
  const [, table = ''] = /### Calls, 100 at a time([\s\S]*?)###/.exec(read('docs/benchmarks/report.md')) ?? [];
  const chart = read('docs/benchmarks/calls.svg');
  for (const library of ['busbar, socket', 'C, sd-bus', 'dbus-native', 'dbus-next']) {
    const [, cpu = '', wall = ''] =
      new RegExp(`\\| (?:\\*\\*)?${library}(?:\\*\\*)? \\| (\\S+ µs) \\| (\\S+) µs`).exec(table) ?? [];
    assert.match(chart, `>${cpu}<`, library);
    const perSecond = Math.round(1e4 / Number(wall)) * 100;
    assert.match(chart, `>${perSecond.toLocaleString('en').replaceAll(',', ' ')}<`, library);
  }
});

test('the oldest TypeScript is the one that compiles the tests of types', () => {
  const oldest = stated('test/types/oldest/package.json', /"typescript": "([\d.]+)"/);
  assert.is(stated('README.md', /TypeScript ([\d.]+\d) or newer/), oldest);
  assert.is(stated('docs/versions.md', /## TypeScript ([\d.]+\d) and newer/), oldest);
});

test('the standard of C++ is that of the build', () => {
  const standard = stated('CMakeLists.txt', /CMAKE_CXX_STANDARD (\d+)/);
  for (const page of ['SECURITY.md', 'docs/package.md']) {
    assert.is(stated(page, /C\+\+(\d+) compiler and CMake/), standard, page);
  }
});

test('the names of sd-bus libraries are those that the addon looks for', () => {
  const names = stated('native/sdbus/api.cc', /const char\* name : \{([^}]*)\}/).match(/\w+\.so\.0/g) ?? [];
  assert.is(names.length, 3, 'SECURITY.md says how many');
  for (const name of names) assert.match(read('docs/guide/deployment.md'), `\`${name}\``);
});

test('the time limit of authentication is the default', () => {
  const milliseconds = stated('src/peer/peer-server.ts', /authenticationTimeout \?\? (\d+_?\d+)/).replace('_', '');
  assert.is(
    Number(stated('docs/guide/peers.md', /`authenticationTimeout` \| (\d+) seconds/)) * 1000,
    Number(milliseconds),
  );
});

test('the page of errors has every class', () => {
  const page = read('docs/guide/errors.md');
  for (const [name, value] of Object.entries(busbar)) {
    const isClass = typeof value === 'function' && value.prototype instanceof busbar.DBusError;
    if (isClass) assert.match(page, `\`${name}\``);
  }
});

test('a part of a test command in the documentation is one of its suites', () => {
  const suites = allSuites().map(({ name }) => name);
  for (const [command, suite] of [
    ['npm run check:package', 'package'],
    ['npm run docs:check', 'docs'],
  ]) {
    assert.match(read('docs/package.md'), `\`${command}\`, a part of \`npm run test:all\``);
    assert.ok(suites.includes(suite as string), suite);
  }
  assert.match(read('docs/package.md'), 'The tests that need only npm are a part of `npm run test:all`.');
  for (const name of ['npm', 'import', 'bundle']) assert.ok(suites.includes(`pack/${name}`), name);
});

test('files and commands that CONTRIBUTING.md names exist', () => {
  const page = read('CONTRIBUTING.md');
  const paths = page.match(/\b(?:src|native|test|scripts|docs|prebuilds)\/[\w./-]*\w/g) ?? [];
  assert.ok(paths.length > 20);
  for (const path of paths) assert.ok(existsSync(join(projectRoot, path)), path);
  const { scripts } = JSON.parse(read('package.json'));
  for (const [, name = ''] of page.matchAll(/`npm run ([\w:]+)/g)) assert.ok(name in scripts, name);
});

test.run();
