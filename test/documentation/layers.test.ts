// The rules of docs/architecture.md for the folders of native/ and src/, checked against the includes and imports.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../helpers/paths.js';
import {
  contradictions,
  includesOf,
  type Layers,
  moduleImportsOf,
  namedOutside,
  readTree,
  type Tree,
} from './layers.js';

const test = suite('layers');

/** Tests and fuzz targets may include anything; `compat` is for the compiler and the linker. */
const native = readTree('native', /\.(cc|h)$/, ['test', 'fuzz', 'compat']);
const src = readTree('src', /\.ts$/);

const nativeLayers: Layers = {
  mayImport: {
    napi: ['transport', 'sdbus', 'inbox', 'wire', 'loop', 'base', '.'],
    transport: ['sdbus', 'inbox', 'wire', 'base'],
    sdbus: ['inbox', 'wire', 'base'],
    inbox: ['wire'],
    wire: [],
    loop: ['base'],
    base: [],
    '.': [],
  },
  others: 'refused',
  importsOf: includesOf,
};

/**
 * Imports that point upwards, each with its reason. All but the last are of types alone.
 *
 * - An error has the message that caused it.
 * - The types of values are found by signature, and two of these values are classes.
 * - A service holds the bus that the program has passed in.
 * - A server makes a bus of each client; the other half of the top makes one of an address.
 */
const upwards: Readonly<Record<string, readonly string[]>> = {
  'base/error-classes.ts': ['connection/message.js'],
  'base/errors.ts': ['connection/message.js'],
  'signature/literal.ts': ['values/file-descriptor.js', 'values/variant.js'],
  'serve/running-service.ts': ['message-bus.js'],
  'serve/serve-options.ts': ['message-bus.js'],
  'serve/served-objects.ts': ['message-bus.js'],
  'peer/arrivals.ts': ['message-bus.js'],
  'peer/peer-server.ts': ['message-bus.js'],
};

const srcLayers: Layers = {
  mayImport: {
    cli: ['.', 'generator', 'bus', 'base'],
    '.': [
      ...[
        'serve',
        'peer',
        'live',
        'client',
        'service',
        'interface',
        'bus',
        'connection',
        'address',
        'codec',
        'values',
        'signature',
      ],
      ...['native', 'diagnostics', 'base'],
    ],
    // Texts of files from descriptions, for the command line.
    generator: ['interface'],
    serve: ['service', 'bus', 'connection', 'native', 'diagnostics', 'base'],
    peer: ['bus', 'connection', 'address', 'values', 'native', 'diagnostics', 'base'],
    live: [
      'client',
      'service',
      'interface',
      'bus',
      'connection',
      'codec',
      'signature',
      'values',
      'diagnostics',
      'base',
    ],
    client: [...['service', 'interface', 'bus', 'connection', 'codec', 'values', 'signature', 'diagnostics', 'base']],
    service: [...['interface', 'bus', 'connection', 'codec', 'values', 'signature', 'native', 'diagnostics', 'base']],
    interface: ['signature', 'diagnostics', 'base'],
    bus: ['connection', 'codec', 'values', 'signature', 'native', 'diagnostics', 'base'],
    connection: ['address', 'codec', 'values', 'native', 'diagnostics', 'base'],
    address: ['native', 'base'],
    codec: ['values', 'signature', 'base'],
    values: ['signature', 'native', 'diagnostics', 'base'],
    signature: ['base'],
    native: ['base'],
    diagnostics: ['base'],
    base: [],
  },
  others: 'refused',
  importsOf: (path, text) => moduleImportsOf(path, text).filter((imported) => !upwards[path]?.includes(imported)),
};

test('the folders of native/ import each other only downwards, as the table says', () => {
  assert.equal(contradictions(native, nativeLayers), []);
});

test('the folders of src/ import each other only downwards, as the table says', () => {
  assert.equal(contradictions(src, srcLayers), []);
});

test('the imports that point upwards exist, and are of types alone but for the server', () => {
  for (const [path, targets] of Object.entries(upwards)) {
    const text = src.get(path) ?? '';
    const imported = moduleImportsOf(path, text);
    for (const target of targets) {
      assert.ok(imported.includes(target), `${path} imports ${target}`);
      const isOfTypes = text
        .split('\n')
        .some((line) => line.startsWith('import type ') && line.includes(target.split('/').at(-1) ?? ''));
      assert.is(isOfTypes, path !== 'peer/peer-server.ts', `${path}: ${target}`);
    }
  }
});

test('src/native imports only errors from the rest', () => {
  const imported = [...src]
    .filter(([path]) => path.startsWith('native/'))
    .flatMap(([path, text]) => moduleImportsOf(path, text));
  assert.equal([...new Set(imported.filter((path) => !path.startsWith('native/')))], ['base/errors.js']);
});

test('native/wire includes only the standard library of C++', () => {
  const headers = [...native]
    .filter(([path]) => path.startsWith('wire/'))
    .flatMap(([, text]) => [...text.matchAll(/^#include <(.+)>/gm)].map(([, header]) => header ?? ''));
  assert.ok(headers.length > 20);
  assert.equal(
    headers.filter((header) => !/^[a-z_]+$/.test(header)),
    [],
  );
});

test('only native/sdbus names a symbol of sd-bus, only native/loop one of libuv, only native/napi one of Node-API', () => {
  const symbols: readonly [string, RegExp][] = [
    ['sdbus', /\bsd_\w+/],
    ['loop', /\buv_\w+/],
    ['napi', /\b(napi_\w+|Napi::|NAPI_\w+)|<(napi|node_api)\.h>/],
  ];
  for (const [folder, pattern] of symbols) {
    assert.equal(namedOutside(native, [folder], pattern), [], folder);
    assert.ok(namedOutside(native, [], pattern).length > 0, folder);
  }
});

test('only src/native loads the addon', () => {
  const loads = /node-gyp-build|\.node['`]|\bdlopen\b|\bcreateRequire\b/;
  const loading = [...src].filter(([, text]) => loads.test(text)).map(([path]) => path);
  assert.equal(
    loading.filter((path) => !path.startsWith('native/')),
    [],
  );
  assert.ok(loading.includes('native/load.ts'));
});

test('docs/architecture.md shows the same folders, from the top down', () => {
  const page = readFileSync(join(projectRoot, 'docs/architecture.md'), 'utf8');
  const shown = [...page.matchAll(/^ {2}native\/(\w+) {2}/gm)].map(([, folder]) => folder);
  assert.equal(
    shown,
    Object.keys(nativeLayers.mayImport).filter((folder) => folder !== '.'),
  );
});

test('a contradiction to a table is found', () => {
  const layers: Layers = {
    mayImport: { up: ['down', '.'], down: [], '.': [] },
    others: 'refused',
    importsOf: includesOf,
  };
  const tree = (files: Record<string, string>): Tree => new Map(Object.entries(files));
  const sound = { 'up/a.cc': '#include "up/b.h"\n#include "down/c.h"\n#include "version.h"\n', 'down/c.h': '' };
  assert.equal(contradictions(tree(sound), layers), []);
  assert.equal(contradictions(tree({ ...sound, 'down/c.h': '#include "up/b.h"\n' }), layers), [
    'down/c.h must not import up/b.h',
  ]);
  assert.equal(contradictions(tree({ ...sound, 'new/d.h': '' }), layers), [
    'new/d.h: the folder has no row in the table',
  ]);
  assert.equal(contradictions(tree({ ...sound, 'new/d.h': '' }), { ...layers, others: 'unchecked' }), []);
  assert.equal(contradictions(tree({ 'up/a.cc': '#include "down/c.h"\n' }), layers), ['up may import ., but does not']);
  assert.equal(contradictions(tree(sound), { ...layers, mayImport: { down: [], up: ['down', '.'], '.': [] } }), [
    'up must not import down, which does not stand below it',
  ]);
  assert.equal(
    moduleImportsOf('a/b.ts', "import type { C } from '../c.js';\nexport * from './d.js';\nimport('../e.js')"),
    ['c.js', 'a/d.js', 'e.js'],
  );
  const named = tree({
    'a/x.cc': '// uv_close\n"uv_close" 1\'000 + uv_close(handle)',
    'b/y.cc': '/* uv_close */ "uv_close"',
  });
  assert.equal(namedOutside(named, [], /\buv_\w+/), ['a/x.cc']);
});

test.run();
