// Services that the bus starts: which calls start them, which do not, and which bus a started service connects to.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, ServiceUnknownError } from '../../src/index.js';
import { serviceFolderOf } from '../helpers/activatable.js';
import { libraryEntry } from '../helpers/own-runtime.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('activation');
const NAME = 'org.example.Activated';

const Activated = defineInterface(NAME, { methods: { WhoAmI: { out: ['uniqueName:s'] } } });

/** Connects to the bus that started it, of whatever kind, and runs as long as that bus. */
const program = `
  import { connect, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
  const bus = await connect({ bus: 'starter' });
  const Activated = defineInterface('${NAME}', { methods: { WhoAmI: { out: ['uniqueName:s'] } } });
  bus.export('/', implement(Activated, { WhoAmI: () => bus.uniqueName }));
  await bus.requestName('${NAME}');
`;

const { folder, remove } = serviceFolderOf(NAME, program);
test.after(remove);

test('a call starts the service on the bus of the caller; with autoStart: false it does not', async () => {
  await using daemon = await PrivateBus.start({ serviceFolder: folder });
  await using bus = await connect({ address: daemon.address });
  const proxy = bus.proxy(Activated, NAME, '/').with({ timeout: 60_000 });
  assert.instance(await rejection(proxy.with({ autoStart: false }).call.WhoAmI()), ServiceUnknownError);
  assert.not((await bus.listNames()).includes(NAME));
  assert.ok(await bus.hasName(NAME), 'it can be started');
  const uniqueName = await proxy.call.WhoAmI();
  assert.is(uniqueName, await bus.nameOwner(NAME));
  // A running service is called even so.
  assert.is(await proxy.with({ autoStart: false }).call.WhoAmI(), uniqueName);
});

test('startService starts a service once', async () => {
  await using daemon = await PrivateBus.start({ serviceFolder: folder });
  await using bus = await connect({ address: daemon.address });
  assert.is(await bus.startService(NAME), 'started');
  assert.is(await bus.startService(NAME), 'running');
});

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const title = `startService finds a service running that ${daemon} could not start, and rejects without one`;
  testUnless(PrivateBus.missing({ daemon }), test, title, async () => {
    await using own = await PrivateBus.start({ daemon });
    await using bus = await connect({ address: own.address });
    const error = await rejection(bus.startService(NAME));
    assert.instance(error, ServiceUnknownError);
    bus.export('/', implement(Activated, { WhoAmI: () => '' }));
    await bus.requestName(NAME);
    assert.is(await bus.startService(NAME), 'running');
  });
}

test.run();
