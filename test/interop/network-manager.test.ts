/**
 * The settings of NetworkManager itself: read, changed and written with `variants: 'keep'`, all that was not changed is
 * the same afterwards, byte for byte. The daemon has a network, a host name and configuration files of its own, in
 * namespaces: it must not write the `/etc/resolv.conf` of this machine.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, defineInterface, type MessageBus, Variant, variant } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encode } from '../helpers/kept-values.js';
import { missingPrograms, programPath } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const NAME = 'org.freedesktop.NetworkManager';

const Settings = defineInterface(`${NAME}.Settings`, {
  methods: { AddConnection: { in: ['connection:a{sa{sv}}'], out: ['path:o'] } },
});
const Connection = defineInterface(`${NAME}.Settings.Connection`, {
  methods: { GetSettings: { out: ['settings:a{sa{sv}}'] }, Update: { in: ['settings:a{sa{sv}}'] }, Delete: {} },
});

const test = suite('NetworkManager');

type Profile = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Addresses, servers and routes, in the old and the new form. */
const addressed = {
  method: variant.s('manual'),
  dns: variant.au([16_843_009, 134_744_072]),
  'dns-search': variant.as(['example.org']),
  'address-data': variant('aa{sv}', [{ address: variant.s('10.10.0.1'), prefix: variant.u(24) }]),
  'route-data': variant('aa{sv}', [
    { dest: variant.s('10.20.0.0'), prefix: variant.u(16), 'next-hop': variant.s('10.10.0.2'), metric: variant.u(7) },
  ]),
  'route-metric': variant.x(600n),
};

const profiles: Readonly<Record<string, Profile>> = {
  wireless: {
    connection: {
      id: 'home',
      uuid: '6d4a2bd7-4a86-4a55-a2e1-c7a6b1f0f2d1',
      type: '802-11-wireless',
      'autoconnect-priority': variant.i(-5),
      permissions: variant.as(['user:root:']),
    },
    '802-11-wireless': {
      ssid: variant.ay(Buffer.from('café')),
      mtu: variant.u(1500),
      'mac-address': variant.ay([0, 17, 34, 51, 68, 85]),
      'mac-address-blacklist': variant.as(['00:11:22:33:44:66']),
    },
    '802-11-wireless-security': { 'key-mgmt': 'wpa-psk', proto: variant.as(['rsn']), 'wps-method': variant.u(4) },
    ipv4: addressed,
    ipv6: {
      method: 'manual',
      'address-data': variant('aa{sv}', [{ address: variant.s('fd00::1'), prefix: variant.u(64) }]),
      dns: variant('aay', [Buffer.alloc(16, 1)]),
      'ip6-privacy': variant.i(2),
      'route-metric': variant.x(700n),
    },
    user: { data: variant('a{ss}', { 'test.first': 'one', 'test.second': 'two' }) },
  },
  wired: {
    connection: { id: 'dock', uuid: '0f5c2b1e-2a90-4f30-8a2c-59f0e1f3a001', type: '802-3-ethernet', zone: 'trusted' },
    '802-3-ethernet': {
      speed: variant.u(1000),
      duplex: 'full',
      's390-options': variant('a{ss}', { portno: '0' }),
      'wake-on-lan': variant.u(64),
    },
    sriov: {
      'total-vfs': variant.u(2),
      vfs: variant('aa{sv}', [{ index: variant.u(0), mac: variant.s('00:11:22:33:44:55'), trust: variant.b(true) }]),
    },
    tc: { qdiscs: variant('aa{sv}', [{ kind: variant.s('fq_codel'), parent: variant.u(0xffffffff) }]) },
    ipv4: { method: 'auto', 'dhcp-timeout': variant.i(30), 'ignore-auto-dns': variant.b(true) },
    ipv6: { method: 'ignore' },
  },
  tunnel: {
    connection: {
      id: 'tunnel',
      uuid: 'c1f7c2f4-7a42-4a7e-9a58-38e2c3a7c0de',
      type: 'wireguard',
      'interface-name': 'wg0',
    },
    wireguard: {
      'listen-port': variant.u(51_820),
      fwmark: variant.u(7),
      peers: variant('aa{sv}', [
        {
          'public-key': variant.s('nEXcmQYYEPZ4Uvg3qFkoJTGYWxyBfXXzgsWvHzWlKBw='),
          endpoint: variant.s('192.0.2.1:51820'),
          'allowed-ips': variant.as(['10.0.0.0/8', 'fd00::/8']),
          'persistent-keepalive': variant.u(25),
        },
      ]),
    },
    ipv4: { method: 'disabled' },
    ipv6: { method: 'disabled' },
  },
};

/** What changes in each profile: a section, a key, and the new value as a program writes it. */
const changes: Readonly<Record<string, readonly [section: string, key: string, value: unknown]>> = {
  wireless: ['802-11-wireless', 'mtu', 1400],
  wired: ['802-3-ethernet', 'speed', 100],
  tunnel: ['wireguard', 'listen-port', 51_821],
};

function missingNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can run NetworkManager';
  const { status } = spawnSync('unshare', ['--net', '--mount', '--uts', 'mount', '-t', 'tmpfs', 'none', '/run']);
  return status === 0 ? undefined : 'unshare and mount do not work here';
}

const missing =
  PrivateBus.missing() ?? missingPrograms('NetworkManager', 'unshare', 'mount', 'sh') ?? missingNamespaces();

/** Runs NetworkManager. All that it writes is in file systems that only it has. */
const isolated = `
  for place in /run /etc/NetworkManager /var/lib/NetworkManager; do mount -t tmpfs none $place; done
  mkdir -m 700 /etc/NetworkManager/system-connections /etc/NetworkManager/conf.d
  mount --bind "$1/resolv.conf" /etc/resolv.conf
  exec "$2" --no-daemon --config="$1/NetworkManager.conf" --config-dir=/etc/NetworkManager/conf.d`;

const configuration = `[main]
plugins=keyfile
rc-manager=unmanaged
dns=none
no-auto-default=*
hostname-mode=none
auth-polkit=false
`;

/** NetworkManager on a bus of its own. */
class Network implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'busbar-network-'));
  readonly #resolver = readFileSync('/etc/resolv.conf');
  readonly #server: PrivateBus;
  readonly #program: Program;
  readonly bus: MessageBus;

  static async start(): Promise<Network> {
    const server = await PrivateBus.start({ daemon: 'dbus-daemon' });
    const network = new Network(server, await connect({ address: server.address }));
    await network.#appeared();
    return network;
  }

  private constructor(server: PrivateBus, bus: MessageBus) {
    this.#server = server;
    this.bus = bus;
    writeFileSync(join(this.#folder, 'NetworkManager.conf'), configuration);
    writeFileSync(join(this.#folder, 'resolv.conf'), '');
    const namespaces = ['--net', '--mount', '--uts', '--propagation', 'private'];
    const daemon = programPath('NetworkManager') as string;
    const args = [...namespaces, 'sh', '-ec', isolated, 'sh', this.#folder, daemon];
    this.#program = Program.start('unshare', args, { env: server.env });
  }

  async #appeared(): Promise<void> {
    const ended = this.#program.finished.then(({ stderr }) => assert.unreachable(`NetworkManager ended:\n${stderr}`));
    await Promise.race([this.bus.waitForName(NAME, { timeout: 30_000 }), ended]);
    // It owns its name before it has objects.
    using view = this.bus.objects(NAME, '/org/freedesktop');
    const hasSettings = () => view.get('/org/freedesktop/NetworkManager/Settings') !== undefined;
    await Promise.race([until(hasSettings), ended]);
  }

  /** Adds a profile, and deletes it after `use` has got the path of its connection. */
  async with(profile: Profile, use: (path: string) => Promise<void>): Promise<void> {
    const settings = this.bus.proxy(Settings, NAME, '/org/freedesktop/NetworkManager/Settings');
    const path = await settings.call.AddConnection(profile);
    await use(path);
    await this.bus.proxy(Connection, NAME, path).call.Delete();
  }

  /** The settings of a connection, with the types that the daemon sent. */
  typed(path: string) {
    return this.bus.proxy(Connection, NAME, path).with({ variants: 'wrap' }).call.GetSettings();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus.close();
    await this.#program.stop();
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true });
    assert.equal(readFileSync('/etc/resolv.conf'), this.#resolver, 'NetworkManager wrote /etc/resolv.conf');
  }
}

const bytesOf = (settings: unknown) => encode('a{sa{sv}}', [settings]);

testUnless(missing, test, 'settings that are read and updated do not change', async () => {
  await using network = await Network.start();
  for (const profile of Object.values(profiles)) {
    await network.with(profile, async (path) => {
      const before = await network.typed(path);
      const connection = network.bus.proxy(Connection, NAME, path).with({ variants: 'keep' });
      await connection.call.Update(await connection.call.GetSettings());
      assert.equal(bytesOf(await network.typed(path)), bytesOf(before));
    });
  }
});

testUnless(missing, test, 'one setting is changed, and all others stay as they were, byte for byte', async () => {
  await using network = await Network.start();
  for (const [name, profile] of Object.entries(profiles)) {
    await network.with(profile, async (path) => {
      const before = await network.typed(path);
      for (const [section, entries] of Object.entries(profile)) {
        for (const key of Object.keys(entries)) assert.ok(before[section]?.[key], `${name} keeps ${section}.${key}`);
      }
      const [section, key, value] = changes[name] as (typeof changes)[string];
      const connection = network.bus.proxy(Connection, NAME, path).with({ variants: 'keep' });
      const settings = await connection.call.GetSettings();
      (settings[section] as Record<string, unknown>)[key] = value;
      await connection.call.Update(settings);
      const was = before[section]?.[key];
      if (was === undefined) throw new Error(`no ${section}.${key}`);
      const { signature, value: old } = was;
      assert.is.not(old, value);
      const expected = { ...before, [section]: { ...before[section], [key]: new Variant(signature, value) } };
      assert.equal(bytesOf(await network.typed(path)), bytesOf(expected));
    });
  }
});

testUnless(missing, test, 'without the option the settings cannot be written back', async () => {
  await using network = await Network.start();
  const { wireless = {} } = profiles;
  await network.with(wireless, async (path) => {
    const connection = network.bus.proxy(Connection, NAME, path);
    const before = await network.typed(path);
    await rejection(connection.call.Update(await connection.call.GetSettings()));
    assert.equal(bytesOf(await network.typed(path)), bytesOf(before));
  });
});

test.run();
