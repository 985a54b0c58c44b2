// A change of the native binding requires a new version on both sides: a binary of another version must not be taken for a
// matching one.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SEAM_VERSION } from '../../src/native/binding.js';
import { projectRoot } from '../helpers/paths.js';

const test = suite('seam version');

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');

/** The declarations of src/native/binding.ts, without comments and blanks, in each version. */
const seams: Readonly<Record<number, string>> = {
  1: 'fa1ba9b434c08d2e',
  2: 'c065e397adb2ea70',
  5: '9dec542591b7acb1',
  6: 'a732a549fae7b761',
  7: '8a7313729019e198',
};

test('the addon has the same version', () => {
  assert.match(read('native/seam_version.h'), `kSeamVersion = ${SEAM_VERSION};`);
});

test('the version belongs to the declarations', () => {
  const declared = read('src/native/binding.ts').replace(/\/\*[\s\S]*?\*\/|\/\/.*$|\s+/gm, '');
  const digest = createHash('sha256').update(declared).digest('hex').slice(0, 16);
  const cure = 'raise SEAM_VERSION and kSeamVersion if the seam changed, and record it here';
  assert.is(seams[SEAM_VERSION], digest, cure);
});

test.run();
