/**
 * The settings of NetworkManager, as its mock of python-dbusmock keeps them: read, changed and written with
 * `variants: 'keep'`, all that was not changed is sent byte for byte as it was received.
 */
import { connect, defineInterface, type MessageBus, type Variant, variant } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encode } from '../helpers/kept-values.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { testUnless } from '../helpers/skip.js';

const NAME = 'org.freedesktop.NetworkManager';

const Settings = defineInterface(`${NAME}.Settings`, {
  methods: { AddConnection: { in: ['connection:a{sa{sv}}'], out: ['path:o'] } },
});
const Connection = defineInterface(`${NAME}.Settings.Connection`, {
  methods: {
    GetSettings: { out: ['settings:a{sa{sv}}'] },
    Update: { in: ['settings:a{sa{sv}}'] },
  },
});

/** Settings of a profile with every type that a guess would lose. */
const profile = {
  connection: {
    id: variant.s('home'),
    uuid: variant.s('6d4a2bd7-4a86-4a55-a2e1-c7a6b1f0f2d1'),
    type: variant.s('802-11-wireless'),
    timestamp: variant.t(1_700_000_000n),
    'read-only': variant.b(false),
    permissions: variant.as([]),
    'autoconnect-priority': variant.i(-5),
  },
  '802-11-wireless': {
    ssid: variant.ay([104, 111, 109, 101]),
    mtu: variant.u(1500),
    'mac-address-blacklist': variant.as([]),
  },
  ipv4: {
    method: variant.s('manual'),
    dns: variant.au([16_843_009]),
    addresses: variant('aau', [[168_430_081, 24, 0]]),
    'address-data': variant('aa{sv}', [{ address: variant.s('10.10.0.1'), prefix: variant.u(24) }]),
    'route-data': variant('aa{sv}', []),
    'route-metric': variant.x(-1n),
  },
  ipv6: { addresses: variant('a(ayuay)', [[Buffer.alloc(16, 1), 64, Buffer.alloc(16)]]), 'ip6-privacy': variant.i(-1) },
};

const test = suite('network settings');
const python = pythonWith('dbusmock');
const missing = PrivateBus.missing() ?? (python === undefined ? 'python3-dbusmock not installed' : undefined);

async function withSettings(use: (bus: MessageBus, path: string) => Promise<void>): Promise<void> {
  const daemon = await PrivateBus.start();
  const bus = await connect({ address: daemon.address });
  try {
    const env = { ...daemon.env, DBUS_SYSTEM_BUS_ADDRESS: daemon.address };
    const mock = Program.start(python as string, ['-m', 'dbusmock', '--template', 'networkmanager'], { env });
    try {
      await new Promise<void>((appeared) => bus.watchName(NAME, { appeared: () => appeared() }));
      const path = await bus
        .proxy(Settings, NAME, '/org/freedesktop/NetworkManager/Settings')
        .call.AddConnection(profile);
      await use(bus, path);
    } finally {
      await mock.stop();
    }
  } finally {
    await bus.close();
    await daemon.stop();
  }
}

/** The settings as they are marshalled, with the types that the mock has. */
async function marshalled(bus: MessageBus, path: string): Promise<[Record<string, Record<string, Variant>>, Buffer]> {
  const settings = await bus.proxy(Connection, NAME, path).with({ variants: 'wrap' }).call.GetSettings();
  return [settings, encode('a{sa{sv}}', [settings])];
}

testUnless(missing, test, 'settings that are read and updated do not change', () =>
  withSettings(async (bus, path) => {
    const connection = bus.proxy(Connection, NAME, path).with({ variants: 'keep' });
    const [before, bytes] = await marshalled(bus, path);
    assert.equal(before.ipv4?.['route-metric'], variant.x(-1n));
    await connection.call.Update(await connection.call.GetSettings());
    assert.equal((await marshalled(bus, path))[1], bytes);
  }),
);

testUnless(missing, test, 'one setting is changed, and all others stay as they were, byte for byte', () =>
  withSettings(async (bus, path) => {
    const connection = bus.proxy(Connection, NAME, path).with({ variants: 'keep' });
    const [before] = await marshalled(bus, path);
    const settings = await connection.call.GetSettings();
    settings.connection = { ...settings.connection, id: 'work' };
    Object.assign(settings.ipv4 ?? {}, { dns: [] });
    await connection.call.Update(settings);
    const [, after] = await marshalled(bus, path);
    const expected = {
      ...before,
      connection: { ...before.connection, id: variant.s('work') },
      ipv4: { ...before.ipv4, dns: variant.au([]) },
    };
    assert.equal(after, encode('a{sa{sv}}', [expected]));
  }),
);

testUnless(missing, test, 'without the option the settings cannot be updated', () =>
  withSettings(async (bus, path) => {
    const connection = bus.proxy(Connection, NAME, path);
    const settings = await connection.call.GetSettings();
    await connection.call.Update(settings).then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, /write a Variant/),
    );
  }),
);

test.run();
