// The tree of object paths: that it has room for many.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CallsAtWork } from '../../src/bus/calls-at-work.js';
import { ObjectTree } from '../../src/service/objects/object-tree.js';

const test = suite('object tree');

test('a node may have hundreds of thousands of children at any depth', () => {
  const tree = new ObjectTree();
  const user = new CallsAtWork();
  const paths = Array.from({ length: 200_000 }, (_, index) => `/org/example/units/u${index}`);
  for (const path of paths) tree.setManager(path, user);
  const below = [...tree.below('/')].map(({ path }) => path);
  assert.equal(below.slice(0, 4), ['/org', '/org/example', '/org/example/units', paths[0]]);
  assert.is(below.length, paths.length + 3);
  assert.is(below.at(-1), paths.at(-1));
});

test.run();
