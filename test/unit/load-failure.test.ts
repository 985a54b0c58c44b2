// The error if the addon cannot be loaded is about the cause, and there is one whatever was thrown.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { machineFolder } from '../../src/native/binaries.js';
import { failureText } from '../../src/native/load-failure.js';
import type { Place } from '../../src/native/places.js';

const test = suite('load failure');

const folder = '/nonexistent/node_modules/busbar';
const place: Place = { folder, of: 'package' };
const file = `${folder}/${machineFolder()}/busbar.glibc.node`;
const textFor = (message: string, properties: object = {}) =>
  failureText([{ file, error: Object.assign(new Error(message), properties) }], [place]);

/** The texts of the dynamic loaders of glibc and musl, of Node.js and Deno, and words of the cure. */
const causes: readonly (readonly [message: string, cure: string, properties?: object])[] = [
  ['libstdc++.so.6: cannot open shared object file: No such file or directory', 'install the C++ library'],
  ["/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.28' not found (required by x)", 'this system is older'],
  ["/usr/lib/libstdc++.so.6: version `GLIBCXX_3.4.20' not found (required by x)", 'this system is older'],
  [`${file}: failed to map segment from shared object`, 'the mount option noexec'],
  [`${file}: file too short`, 'install busbar again'],
  [`${file}: invalid ELF header`, 'install busbar again'],
  ['Requires ffi access to "x", run again with the --allow-ffi flag', '--allow-ffi', { name: 'NotCapable' }],
  [
    'Requires read access to "x", run again with the --allow-read flag',
    '--allow-read and --allow-ffi',
    { name: 'NotCapable' },
  ],
  ['Access to this API has been restricted', `--allow-fs-read=${file}`, { code: 'ERR_ACCESS_DENIED' }],
  ['Cannot load native addon because loading addons is disabled.', '--allow-addons', { code: 'ERR_DLOPEN_DISABLED' }],
  ['something else', 'npx cmake-js build -B Release'],
];

test('each known cause has its own cure', () => {
  for (const [message, cure, properties] of causes) {
    const text = textFor(message, properties);
    assert.match(text, message);
    assert.match(text, cure);
    assert.is(text.includes('cmake-js build'), /cmake-js build|older/.test(cure), text);
  }
});

test('a binary that was built from other sources is built again', () => {
  const error = new Error('x is of another version of busbar');
  assert.match(failureText([{ file, error }], [place]), 'copy the folder "prebuilds"');
  const built = failureText([{ file: `${folder}/build/Release/busbar.node`, error }], [place]);
  assert.match(built, `run npx cmake-js build -B Release in ${folder}, or remove ${folder}/build`);
});

test('the cure comes last', () => {
  assert.match(textFor('libstdc++.so.6: cannot open').split('\n').at(-1) as string, 'install the C++ library');
});

test('whatever is thrown, the error has a text', () => {
  const thrown = fc.oneof(
    fc.anything({ withNullPrototype: true }),
    fc.string().map((text) => new Error(text)),
  );
  const kinds = fc.constantFrom<Place['of']>('variable', 'package', 'bundle');
  fc.assert(
    fc.property(fc.array(thrown), fc.array(kinds), (errors, of) => {
      const attempts = errors.map((error) => ({ file, error }));
      const text = failureText(
        attempts,
        of.map((kind) => ({ folder, of: kind })),
      );
      assert.match(text, /^the native addon of busbar could not be loaded/);
    }),
  );
});

test.run();
