// time limit: 180 s
/**
 * Both halves of busbar accept the same signatures as libdbus, and so as the buses that forward them: all of up to four
 * codes, and random longer ones.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSignature } from '../../src/signature/parse.js';
import { compileProgram } from '../helpers/compiled-program.js';
import { missingPrograms, projectRoot } from '../helpers/paths.js';
import { testUnless } from '../helpers/skip.js';
import { compileProgramOf, missingForC } from './readers/c-program.js';

const test = suite('signatures');

const CODES = [...'ybnqiuxtdsoghva(){}'];
const libdbus = { name: 'dbus-1', debian: 'libdbus-1-dev' };
const missing = missingForC(libdbus) ?? missingPrograms('g++');
const folder = join(projectRoot, 'test', 'differential', 'signatures');
const build = join(projectRoot, 'build', 'differential');

/** The verdicts of a program on signatures: one line in for each, and one line out. */
function judge(program: string, signatures: readonly string[]): boolean[] {
  const { stdout, status } = spawnSync(program, {
    input: signatures.map((signature) => `${signature}\n`).join(''),
    encoding: 'latin1',
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.is(status, 0, `${program} ended with ${status}`);
  const lines = stdout.trimEnd().split('\n');
  assert.is(lines.length, signatures.length);
  return lines.map((line) => line === '1');
}

function compileWire(): string {
  const program = join(build, 'signatures-wire');
  const native = join(projectRoot, 'native');
  const source = join(native, 'wire', 'signature.cc');
  const args = ['-std=c++20', '-O1', '-I', native, join(folder, 'wire.cc'), source];
  compileProgram(program, { compiler: 'g++', args, folders: [folder, join(native, 'wire')] });
  return program;
}

function isParsed(signature: string): boolean {
  try {
    parseSignature(signature);
    return true;
  } catch {
    return false;
  }
}

/** Compares all three, and returns the number of valid signatures. */
function compare(signatures: readonly string[]): number {
  const right = judge(compileProgramOf(folder, 'libdbus', libdbus), signatures);
  const wire = judge(compileWire(), signatures);
  const misjudged = signatures.filter(
    (signature, index) => wire[index] !== right[index] || isParsed(signature) !== right[index],
  );
  assert.equal(misjudged.slice(0, 10), [], `${misjudged.length} of ${signatures.length} are judged otherwise`);
  return right.filter((valid) => valid).length;
}

/** A random type, nested by the rest of `depth`; deep ones are common, because the limits are there. */
const anyType = fc.letrec<{ type: string }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 12 },
    fc.constantFrom(...'ybnqiuxtdsoghv'),
    tie('type').map((type) => `a${type}`),
    fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map((types) => `(${types.join('')})`),
    fc.tuple(fc.constantFrom(...'ybsxo'), tie('type')).map(([key, value]) => `a{${key}${value}}`),
  ),
})).type;

/** A chain of containers around one code, each repeated: for the limits of nesting. */
const chain = fc
  .array(
    fc.tuple(
      fc.constantFrom(['a', ''], ['(', ')'], ['a{s', '}'], ['a(', ')'], ['(y', ')']),
      fc.integer({ min: 1, max: 34 }),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((links) =>
    links.reduceRight(
      (inner, [[open = '', close = ''], count]) => open.repeat(count) + inner + close.repeat(count),
      'u',
    ),
  );

/** A valid signature with one place changed, or random text. */
const broken = fc
  .tuple(fc.oneof(anyType, chain), fc.nat(300), fc.constantFrom('', ...CODES, 'r', 'e', '*', 'z'), fc.boolean())
  .map(([signature, at, code, replace]) => {
    const place = at % (signature.length + 1);
    return signature.slice(0, place) + code + signature.slice(replace ? place + 1 : place);
  });

const anything = fc.array(fc.constantFrom(...CODES), { minLength: 5, maxLength: 40 }).map((codes) => codes.join(''));

function allUpTo(length: number): string[] {
  const found = [''];
  let last = [''];
  for (let i = 0; i < length; i++) {
    last = last.flatMap((start) => CODES.map((code) => start + code));
    for (const signature of last) found.push(signature);
  }
  return found;
}

testUnless(missing, test, 'busbar and libdbus agree on every signature of up to four codes', () => {
  const signatures = allUpTo(4);
  assert.is(signatures.length, 1 + 19 + 19 ** 2 + 19 ** 3 + 19 ** 4);
  assert.ok(compare(signatures) > 40_000);
});

testUnless(missing, test, 'busbar and libdbus agree on 100 000 random longer signatures', () => {
  const any = fc.oneof(
    anyType,
    chain,
    broken,
    anything,
    fc.array(anyType, { minLength: 2, maxLength: 8 }).map((types) => types.join('')),
  );
  const signatures = fc.sample(
    any.filter((signature) => signature.length > 4),
    { numRuns: 100_000, seed: 20_240_714 },
  );
  const valid = compare(signatures);
  assert.ok(valid > 20_000 && valid < 90_000, `${valid} are valid`);
});

testUnless(missing, test, 'at the limits of nesting all three agree', () => {
  const signatures: string[] = [];
  for (const outer of ['a', '(', 'a{s', 'a(']) {
    for (const inner of ['a', '(', 'a{s', 'a(']) {
      for (const count of [0, 1, 31, 32, 33]) {
        for (const within of [0, 1, 16, 31, 32, 33]) {
          const open = outer.repeat(count) + inner.repeat(within);
          const closeOf = (text: string) => (text.includes('{') ? '}' : text.includes('(') ? ')' : '');
          signatures.push(`${open}y${closeOf(inner).repeat(within)}${closeOf(outer).repeat(count)}`);
        }
      }
    }
  }
  for (const length of [254, 255, 256]) signatures.push('y'.repeat(length), `(${'u'.repeat(length - 2)})`);
  signatures.push(`a{s${'('.repeat(32)}y${')'.repeat(32)}}`);
  compare(signatures);
});

test.run();
