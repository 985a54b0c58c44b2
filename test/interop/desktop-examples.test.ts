/**
 * The programs of examples/desktop as a user runs them: the scanner and the Wi-Fi editor with the services that
 * python-dbusmock plays, the list of players with a player that is installed, and with one of busbar's own.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, defineInterface, implement, type MessageBus, variant } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingMock, withMock } from '../helpers/mocked-service.js';
import { programArguments } from '../helpers/own-runtime.js';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf, Program } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { tune } from '../helpers/tune.js';

const test = suite('desktop examples');
const example = (name: string, ...args: readonly string[]) => programArguments(`examples/desktop/${name}.ts`, ...args);
const lines = (text: string) => text.trimEnd().split('\n');

testUnless(missingMock(), test, 'the scanner prints devices as they come, change and go', () =>
  withMock('bluez5', async (bus, env) => {
    const Mock = defineInterface('org.bluez.Mock', {
      methods: { AddAdapter: { in: 'ss', out: 's' }, AddDevice: { in: 'sss', out: 's' } },
    });
    const Adapter = defineInterface('org.bluez.Adapter1', {
      methods: { RemoveDevice: { in: 'o' } },
      properties: { Discovering: { type: 'b' }, DiscoveryFilter: { type: 'a{sv}' } },
    });
    const Device = defineInterface('org.bluez.Device1', { properties: { RSSI: { type: 'n' } } });
    const mock = bus.proxy(Mock, 'org.bluez', '/org/bluez');
    const adapter = bus.proxy(Adapter, 'org.bluez', await mock.call.AddAdapter('hci0', 'computer'));
    await mock.call.AddDevice('hci0', '00:11:22:33:44:55', 'Thermometer');
    await using scanner = Program.start(process.execPath, example('scanner'), { env });
    await scanner.line(/^Thermometer -79 dBm$/);
    assert.equal(await adapter.get.Discovering(), true);
    assert.equal(await adapter.get.DiscoveryFilter(), { Transport: 'le' });
    const path = await mock.call.AddDevice('hci0', '00:11:22:33:44:66', 'Bracelet');
    await scanner.line(/^Bracelet -79 dBm$/);
    await bus.proxy(Device, 'org.bluez', path).set.RSSI(-60);
    await scanner.line(/^Bracelet -60 dBm$/);
    await adapter.call.RemoveDevice(path);
    await scanner.line(/^Bracelet is out of range$/);
    assert.is(lines(scanner.stdout).length, 4, scanner.stdout);
  }),
);

testUnless(
  missingMock(),
  test,
  'the editor prints the saved connections, renames one, and keeps the types of its settings',
  () =>
    withMock('networkmanager', async (bus, env) => {
      const network = 'org.freedesktop.NetworkManager';
      const Settings = defineInterface(`${network}.Settings`, {
        methods: { AddConnection: { in: ['connection:a{sa{sv}}'], out: ['path:o'] } },
      });
      const Connection = defineInterface(`${network}.Settings.Connection`, {
        methods: { GetSettings: { out: ['settings:a{sa{sv}}'] } },
      });
      const saved = (id: string, ssid: string) => ({
        connection: { id, uuid: `uuid of ${id}`, type: '802-11-wireless', timestamp: variant.t(1_700_000_000n) },
        '802-11-wireless': { ssid: variant.ay(Buffer.from(ssid)), mtu: variant.u(1500) },
        ipv4: { method: 'manual', dns: variant.au([16_843_009]), 'route-metric': variant.x(-1n) },
      });
      const settings = bus.proxy(Settings, network, '/org/freedesktop/NetworkManager/Settings');
      const read = (path: string) => bus.proxy(Connection, network, path).with({ variants: 'wrap' }).call.GetSettings();
      const home = await settings.call.AddConnection(saved('Home', 'Nest'));
      const cafe = await settings.call.AddConnection(saved('Cafe', 'Café'));
      await settings.call.AddConnection({ connection: { id: 'Dock', uuid: 'uuid', type: '802-3-ethernet' } });
      const before = [await read(home), await read(cafe)];

      const printed = async (...args: readonly string[]) =>
        lines(await outputOf(process.execPath, example('wifi', ...args), { env })).sort();
      assert.equal(await printed(), ['Café: Cafe', 'Nest: Home']);
      assert.equal([await read(home), await read(cafe)], before);
      await printed('Café', 'Coffee and cake');
      assert.equal(await printed(), ['Café: Coffee and cake', 'Nest: Home']);
      const renamed = { ...before[1], connection: { ...before[1]?.connection, id: variant.s('Coffee and cake') } };
      assert.equal([await read(home), await read(cafe)], [before[0], renamed]);
    }),
);

const Player = defineInterface('org.mpris.MediaPlayer2.Player', {
  methods: { PlayPause: {} },
  properties: { PlaybackStatus: { type: 's', access: 'read' }, Metadata: { type: 'a{sv}', access: 'read' } },
});

const newPlayer = () =>
  implement(Player, {
    PlayPause() {},
    PlaybackStatus: 'Playing',
    Metadata: { 'xesam:title': 'Sinnerman', 'xesam:artist': ['Nina Simone'], 'mpris:length': variant.x(622_000_000n) },
  });

async function withPlaying(use: (bus: MessageBus, playing: Program, server: PrivateBus) => Promise<void>) {
  await using server = await PrivateBus.start();
  await using bus = await connect({ address: server.address });
  await using playing = Program.start(process.execPath, example('playing'), { env: server.env });
  await use(bus, playing, server);
}

testUnless(PrivateBus.missing(), test, 'the list of players follows each from its start to its end', () =>
  withPlaying(async (bus, playing, server) => {
    const player = newPlayer();
    bus.export('/org/mpris/MediaPlayer2', player);
    await bus.requestName('org.mpris.MediaPlayer2.own');
    await playing.line(/^own Playing Nina Simone Sinnerman$/);
    player.properties.PlaybackStatus = 'Paused';
    await playing.line(/^own Paused Nina Simone Sinnerman$/);

    const other = await connect({ address: server.address });
    const second = newPlayer();
    second.properties.Metadata = { 'xesam:title': 'Kulning', 'xesam:artist': ['Jonna', 'Elin'] };
    other.export('/org/mpris/MediaPlayer2', second);
    await other.requestName('org.mpris.MediaPlayer2.other');
    await playing.line(/^other Playing Jonna, Elin Kulning$/);
    await other.close();
    await playing.line(/^other is gone$/);

    await bus.releaseName('org.mpris.MediaPlayer2.own');
    await playing.line(/^own is gone$/);
    await bus.requestName('org.mpris.MediaPlayer2.own');
    await playing.line(/^own Paused Nina Simone Sinnerman$/);
    player.properties.PlaybackStatus = 'Stopped';
    await playing.line(/^own Stopped Nina Simone Sinnerman$/);
    assert.is(lines(playing.stdout).length, 7, playing.stdout);
  }),
);

/** A player for terminals, so it gets one. Without a device it plays as fast as it can, again and again. */
testUnless(
  PrivateBus.missing() ?? missingPrograms('cmus', 'cmus-remote', 'script'),
  test,
  'the list of players has what cmus plays',
  () =>
    withPlaying(async (bus, playing, server) => {
      const folder = mkdtempSync(join(tmpdir(), 'busbar-tune-'));
      try {
        const [file, socket] = [join(folder, 'tune.wav'), join(folder, 'socket')];
        writeFileSync(file, tune('Sinnerman', 'Nina Simone'));
        writeFileSync(join(folder, 'rc'), 'set output_plugin=ao\nset dsp.ao.driver=null\nset repeat_current=true\n');
        const env = { ...server.env, CMUS_HOME: folder, HOME: folder, TERM: 'xterm' };
        await using player = Program.start('script', ['-qec', `cmus --listen ${socket}`, '/dev/null'], { env });
        const command = (...args: readonly string[]) => outputOf('cmus-remote', ['--server', socket, ...args], { env });
        const name = 'org.mpris.MediaPlayer2.cmus';
        await bus.waitForName(name, { timeout: 20_000 });
        await command('--file', file);
        await playing.line(/^cmus Playing Nina Simone Sinnerman$/);
        await bus.proxy(Player, name, '/org/mpris/MediaPlayer2').call.PlayPause();
        await playing.line(/^cmus Paused Nina Simone Sinnerman$/);
        await command('--raw', 'quit');
        await playing.line(/^cmus is gone$/);
        await player.finished;
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
);

test.run();
