// `busbar diff`: a service and files against introspection data.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';
import { busbar } from './command-line.js';

const test = suite('busbar diff');

const xml = (type: string, more = '') =>
  `<node><interface name="org.example.Lamp">
    <method name="Dim"><arg name="level" type="${type}" direction="in"/></method>${more}
  </interface></node>`;

/** A folder with files, which is removed after use. */
function files(texts: Readonly<Record<string, string>>): Disposable & { path(name: string): string } {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-diff-'));
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  return { path: (name) => join(folder, name), [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test('two files are compared: the exit code is 1 for a failure, and 0 for what is only new', async () => {
  using data = files({ 'old.xml': xml('u'), 'new.xml': xml('u', '<signal name="Dimmed"/>'), 'wrong.xml': xml('i') });
  const added = await busbar(undefined, ['diff', '--xml', data.path('old.xml'), data.path('new.xml')]);
  assert.is(added.stdout, '+ signal org.example.Lamp.Dimmed is not expected\n');
  assert.is(added.code, 0);
  const removed = await busbar(undefined, ['diff', '--xml', data.path('new.xml'), data.path('wrong.xml')]);
  assert.is(
    removed.stdout,
    '~ method org.example.Lamp.Dim has in "i": expected "u"\n- signal org.example.Lamp.Dimmed does not exist\n',
  );
  assert.is(removed.stderr, 'busbar: 2 differences\n');
  assert.is(removed.code, 1);
  assert.is((await busbar(undefined, ['diff', data.path('old.xml')])).code, 2);
});

test('the interfaces of nodes within are not those of the object, and interfaces that only it has are told', async () => {
  const child = `<node name="child">${xml('i').slice('<node>'.length)}`;
  const more = '<interface name="org.example.More"/><interface name="org.freedesktop.DBus.Peer"/>';
  using data = files({
    'own.xml': xml('u'),
    'both.xml': xml('u').replace('</node>', `${child}${more}</node>`),
  });
  const same = await busbar(undefined, ['diff', '--xml', data.path('own.xml'), data.path('both.xml')]);
  assert.is(same.stdout, '+ interface org.example.More is not expected\n');
  assert.is(same.code, 0);
  const reverse = await busbar(undefined, ['diff', '--xml', data.path('both.xml'), data.path('own.xml')]);
  assert.match(reverse.stderr, /both\.xml: the interfaces of nodes within are not compared\n/);
  assert.is(reverse.code, 1);
  const several = await busbar(undefined, ['diff', '--xml', data.path('own.xml'), 'org.example.A', '/a', '/b']);
  assert.is(several.stderr, 'busbar: diff compares one object or file: leave "/b" out\n');
  assert.is(several.code, 2);
});

testUnless(PrivateBus.missing(), test, 'a service is compared, also as JSON', async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  const Lamp = defineInterface('org.example.Lamp', { methods: { Dim: { in: ['level:u'] } } });
  bus.export('/lamp', implement(Lamp, { Dim() {} }));
  await bus.requestName('org.example.Lamp');
  using data = files({
    'lamp.xml': xml('u'),
    'other.xml': xml('u', '<property name="Level" type="u" access="read"/>'),
  });
  const words = ['diff', 'org.example.Lamp', '/lamp', '--xml'];
  const same = await busbar(daemon, [...words, data.path('lamp.xml')]);
  assert.is(same.stdout, 'no difference\n');
  assert.is(same.code, 0);
  const other = await busbar(daemon, [...words, data.path('other.xml'), '--json']);
  assert.is(other.code, 1);
  const [only, ...others] = JSON.parse(other.stdout);
  assert.equal(others, []);
  assert.is(only.message, 'property org.example.Lamp.Level does not exist');
});

test.run();
