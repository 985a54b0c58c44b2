// time limit: 180 s
// What can be shown is shown, and what fails is told: values of properties, trees of several services, completion.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, DBusError, defineInterface, implement, MessageType } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';
import { busbar } from './command-line.js';

const test = suite('busbar: partial answers');

const LAMP = 'org.example.Lamp';
const Lamp = defineInterface(LAMP, {
  properties: { Level: { type: 'u', access: 'read' }, Broken: { type: 's', access: 'read' } },
});

testUnless(PrivateBus.missing(), test, 'introspect, tree and completion', async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  const broken = () => {
    throw new DBusError('org.example.Error.Broken', 'the wire is cut');
  };
  bus.export('/lamp', implement(Lamp, { Level: 5, Broken: { get: broken } }));
  // busbar leaves such properties out, but most services fail as a whole.
  bus.addMessageHandler(({ member, sender, serial }) => {
    if (member !== 'GetAll') return false;
    const errorName = 'org.example.Error.Broken';
    bus.send({ type: MessageType.Error, errorName, destination: sender, replySerial: serial });
    return true;
  });
  await bus.requestName(LAMP);
  await bus.requestName('org.example.Second');
  const run = (...words: string[]) => busbar(daemon, words);
  const [members, absent, all, allLists, allJson, json, lists, files, folders, help, paths] = await Promise.all([
    run('introspect', LAMP, '/lamp', LAMP),
    run('tree', LAMP, '--path', '/nope'),
    run('tree'),
    run('tree', '--list'),
    run('tree', '--json'),
    run('tree', LAMP, '--json', '--no-interfaces'),
    run('tree', LAMP, 'org.example.Nothing', 'org.example.Second', '--list'),
    run('__complete', '--', 'diff', '--xml', ''),
    run('__complete', '--', 'generate', '--xml', ''),
    run('__complete', '--', 'help', 'gen'),
    run('__complete', '--', 'generate', LAMP, '/'),
  ]);
  assert.match(members.stdout, /Level u = 5\n/);
  assert.is(members.stderr, 'busbar: org.example.Lamp Broken: org.example.Error.Broken: the wire is cut\n');
  assert.is(absent.code, 1);
  assert.match(absent.stderr, /\/nope/);
  // Both names are those of one connection.
  assert.match(all.stdout, /^org\.example\.Lamp, org\.example\.Second\n\/\n└─ \/lamp {2}org\.example\.Lamp\n/m);
  for (const name of [LAMP, 'org.example.Second']) {
    assert.ok(allLists.stdout.includes(`${name} /lamp\n`), name);
    assert.equal(
      JSON.parse(allJson.stdout)[name].map(({ path }: { path: string }) => path),
      ['/', '/lamp'],
    );
  }
  assert.equal(JSON.parse(json.stdout), { [LAMP]: [{ path: '/' }, { path: '/lamp' }] });
  assert.match(lists.stdout, /^org\.example\.Lamp \/\norg\.example\.Lamp \/lamp\n/);
  assert.match(lists.stdout, /\norg\.example\.Second \/lamp\n$/);
  assert.match(lists.stderr, /^busbar: there is no service org\.example\.Nothing/);
  assert.is(lists.code, 1);
  assert.equal([files.stdout, folders.stdout], ['', '']);
  assert.match(help.stdout, /^generate\t/);
  assert.is(paths.stdout, '/lamp\n');
});

test.run();
