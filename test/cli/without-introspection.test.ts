// time limit: 180 s
// Commands whose words say everything need no introspection data; services that are not running; errors of the bus itself.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, MessageType } from '../../src/index.js';
import { serviceFolderOf } from '../helpers/activatable.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';
import { busbar } from './command-line.js';

const test = suite('busbar without introspection data');

const LAMP = 'org.example.Lamp';
const Lamp = defineInterface(LAMP, {
  methods: { Dim: { in: ['level:u'], out: 'u' } },
  properties: { Level: { type: 'u', access: 'readwrite' } },
});

/** What services answer to Introspect: an error, data, or nothing. */
const answers = {
  denied: { error: 'org.freedesktop.DBus.Error.AccessDenied' },
  failed: { error: 'org.example.Error.Other' },
  empty: { xml: '<node/>' },
  other: { xml: '<node><interface name="org.example.Lamb"/></node>' },
  never: {},
};

testUnless(PrivateBus.missing(), test, 'get, set and call work with any answer to Introspect', async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  for (const path of Object.keys(answers)) {
    bus.export(`/${path}`, implement(Lamp, { Dim: (level) => level + 1, Level: 5 }));
  }
  bus.addMessageHandler(({ member, path, sender, serial }) => {
    const answer: { error?: string; xml?: string } | undefined = answers[path?.slice(1) as 'empty'];
    if (member !== 'Introspect' || answer === undefined) return false;
    const { error, xml } = answer;
    const head = { destination: sender, replySerial: serial };
    if (error !== undefined) bus.send({ type: MessageType.Error, errorName: error, ...head });
    if (xml !== undefined) bus.send({ type: MessageType.MethodReturn, signature: 's', body: [xml], ...head });
    return true;
  });
  await bus.requestName(LAMP);
  const printed = async (...words: string[]) => {
    const { code, stdout, stderr } = await busbar(daemon, [...words, '--timeout', '5']);
    assert.is(stderr, '', words.join(' '));
    assert.is(code, 0);
    return stdout;
  };
  await Promise.all(
    Object.keys(answers).map(async (name) => {
      const where = [LAMP, `/${name}`, LAMP];
      assert.is(await printed('get', ...where, 'Level'), '5\n');
      assert.is(await printed('call', ...where, 'Dim', 'u', '7'), '8\n');
    }),
  );
  assert.is(await printed('set', LAMP, '/empty', LAMP, 'Level', 'u', '6'), '');
  assert.is(await printed('get', LAMP, '/other', LAMP, 'Level'), '5\n');
  const [vague, wrong] = await Promise.all([
    busbar(daemon, ['get', LAMP, '/never', 'Level', '--timeout', '1']),
    busbar(daemon, ['get', LAMP, '/other', 'org.example.Lambs', 'Level']),
  ]);
  assert.match(vague.stderr, /does not answer Introspect: give the interface as well\n/);
  assert.is(vague.code, 124);
  assert.match(wrong.stderr, /^busbar: org\.freedesktop\.DBus\.Error\..*\n {2}did you mean org\.example\.Lamb\?\n$/);
  assert.is(wrong.code, 1);
});

testUnless(
  PrivateBus.missing({ daemon: 'dbus-daemon' }),
  test,
  '--no-start starts nothing, and says that the bus can start the service',
  async () => {
    const { folder, remove } = serviceFolderOf(
      LAMP,
      (own) => `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(join(own, 'started'))}, '');`,
    );
    try {
      await using daemon = await PrivateBus.start({ daemon: 'dbus-daemon', serviceFolder: folder });
      for (const words of [
        ['Dim', '7'],
        [LAMP, 'Dim', 'u', '7'],
      ]) {
        const { code, stderr } = await busbar(daemon, ['call', '--no-start', LAMP, '/lamp', ...words]);
        assert.match(stderr, /is not running on the session bus\n {2}the bus can start it: leave --no-start out\n$/);
        assert.is(code, 1);
      }
      assert.not(existsSync(join(folder, 'started')));
    } finally {
      remove();
    }
  },
);

testUnless(PrivateBus.missing(), test, 'an error of the bus about an argument is told as it is', async () => {
  await using daemon = await PrivateBus.start();
  const driver = ['org.freedesktop.DBus', '/org/freedesktop/DBus'];
  const [owner, credentials] = await Promise.all([
    busbar(daemon, ['call', ...driver, 'GetNameOwner', 'org.example.Nothing']),
    busbar(daemon, ['call', ...driver, 'GetConnectionCredentials', ':1.99']),
  ]);
  assert.match(owner.stderr, /^busbar: org\.freedesktop\.DBus\.Error\.NameHasNoOwner: .+\n$/);
  assert.match(credentials.stderr, /^busbar: org\.freedesktop\.DBus\.Error\.NameHasNoOwner: .+\n$/);
});

test.run();
