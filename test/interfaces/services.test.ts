/**
 * The definitions with real services: what a service says of itself has the same types, and the values that it sends are
 * accepted by strict proxies.
 */
import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as bluez from '../../packages/interfaces/src/bluez.js';
import * as dbusmenu from '../../packages/interfaces/src/dbusmenu.js';
import * as login1 from '../../packages/interfaces/src/login1.js';
import * as mpris from '../../packages/interfaces/src/mpris.js';
import * as networkmanager from '../../packages/interfaces/src/networkmanager.js';
import * as polkit from '../../packages/interfaces/src/polkit.js';
import * as powerProfiles from '../../packages/interfaces/src/power-profiles.js';
import * as systemd1 from '../../packages/interfaces/src/systemd1.js';
import * as udisks2 from '../../packages/interfaces/src/udisks2.js';
import * as upower from '../../packages/interfaces/src/upower.js';
import {
  connect,
  type InterfaceDefinition,
  type InterfaceDescription,
  type MessageBus,
  parseIntrospection,
} from '../../src/index.js';
import { missingMock, withMock } from '../helpers/mocked-service.js';
import { programPath } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program, run } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('ready definitions and real services');

function definitionOf(family: object, name: string): InterfaceDefinition | undefined {
  return Object.values(family).find((value) => value?.description?.name === name);
}

/** The members of both that do not have the same types, and the number of those that do. */
function compared(
  own: InterfaceDescription,
  live: InterfaceDescription,
  isMock: boolean,
): { same: number; different: string[] } {
  const pairs = [
    ...both(own.methods, live.methods, (method) => `${method.inSignature} → ${method.outSignature}`),
    ...both(own.signals, live.signals, ({ signature }) => signature),
    // Clients of the mock may set all properties.
    ...both(own.properties, live.properties, ({ signature, access }) =>
      isMock ? signature : `${signature} ${access}`,
    ),
  ];
  // The mock declares some properties as variants.
  const different = pairs
    .filter(([, a, b]) => a !== b && !(isMock && b === 'v'))
    .map(([name, a, b]) => `${own.name}.${name}: ${a} is ${b}`);
  return { same: pairs.length - different.length, different };
}

function both<T>(own: ReadonlyMap<string, T>, live: ReadonlyMap<string, T>, type: (member: T) => string) {
  return [...own].flatMap(([name, member]) => {
    const other = live.get(name);
    return other === undefined ? [] : [[name, type(member), type(other)] as const];
  });
}

/** Compares the interfaces of introspection data with a family, and returns the number of members that are the same. */
function holds(family: object, xml: string, isMock = false): number {
  let members = 0;
  for (const live of parseIntrospection(xml).interfaces.values()) {
    const definition = definitionOf(family, live.name);
    if (definition === undefined) continue;
    const { same, different } = compared(definition.description, live, isMock);
    assert.equal(different, []);
    members += same;
  }
  return members;
}

/** Compares an object on the bus, and reads all properties of its interfaces with strict proxies. */
async function holdsLive(bus: MessageBus, family: object, name: string, path: string, isMock = false): Promise<number> {
  const member = { interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' };
  const [xml] = await bus.call({ destination: name, path, ...member });
  for (const { name: interfaceName, properties } of parseIntrospection(String(xml)).interfaces.values()) {
    const definition = definitionOf(family, interfaceName);
    if (definition === undefined || properties.size === 0) continue;
    const values = await bus.proxy(definition, name, path).getAll();
    assert.ok(isMock || Object.keys(values).length > 0, interfaceName);
  }
  return holds(family, String(xml), isMock);
}

const EVERYTHING = '<policy context="default"><allow own="*"/><allow send_destination="*"/><allow user="*"/></policy>';

/** A daemon on a private bus. */
async function withDaemon(
  name: string,
  command: string,
  args: readonly string[],
  use: (bus: MessageBus) => Promise<void>,
): Promise<void> {
  // polkitd runs as another user, which a session bus does not let in.
  await using server = await PrivateBus.start({ type: 'system', policy: EVERYTHING });
  await using bus = await connect({ address: server.address });
  await using _daemon = Program.start(command, args, { env: server.env });
  await bus.waitForName(name, { timeout: 30_000 });
  await use(bus);
}

const missingAt = (path: string) => PrivateBus.missing() ?? (existsSync(path) ? undefined : `${path} not installed`);

const upowerd = '/usr/libexec/upowerd';
testUnless(missingAt(upowerd), test, 'UPower', () =>
  withDaemon(upower.NAME, upowerd, [], async (bus) => {
    assert.ok((await holdsLive(bus, upower, upower.NAME, upower.PATH)) >= 9);
    assert.ok((await holdsLive(bus, upower, upower.NAME, upower.DISPLAY_DEVICE)) >= 30);
    const device = bus.proxy(upower.Device, upower.NAME, upower.DISPLAY_DEVICE);
    assert.type(await device.get.Percentage(), 'number');
    assert.ok((Object.values(upower.DeviceState) as number[]).includes(await device.get.State()));
  }),
);

const profiles = '/usr/libexec/power-profiles-daemon';
testUnless(missingAt(profiles), test, 'power-profiles-daemon', () =>
  withDaemon(powerProfiles.NAME, profiles, [], async (bus) => {
    assert.ok((await holdsLive(bus, powerProfiles, powerProfiles.NAME, powerProfiles.PATH)) >= 9);
    const daemon = bus.proxy(powerProfiles.PowerProfiles, powerProfiles.NAME, powerProfiles.PATH);
    const names = (await daemon.get.Profiles()).map(({ Profile }) => Profile);
    assert.ok(names.includes(await daemon.get.ActiveProfile()));
  }),
);

const polkitd = '/usr/lib/polkit-1/polkitd';
testUnless(missingAt(polkitd), test, 'polkit', () =>
  withDaemon(polkit.NAME, polkitd, ['--no-debug'], async (bus) => {
    assert.ok((await holdsLive(bus, polkit, polkit.NAME, polkit.PATH)) >= 14);
  }),
);

const python = pythonWith('gi');
const missingGlib = PrivateBus.missing() ?? (python === undefined ? 'python3-gi not installed' : undefined);
/** Why a module of GLib objects is not there. */
const missingModule = async (name: string, version: string) => {
  if (python === undefined) return 'python3-gi not installed';
  const { code } = await run(python, [
    '-c',
    `import gi; gi.require_version("${name}", "${version}"); from gi.repository import ${name}`,
  ]);
  return code === 0 ? undefined : `${name} of python3-gi not installed`;
};

const missingUDisks = await missingModule('UDisks', '2.0');
testUnless(missingUDisks, test, 'UDisks', async () => {
  const program = `
import gi
gi.require_version("UDisks", "2.0")
from gi.repository import GLib, UDisks
text = GLib.String.new("")
for name in dir(UDisks):
    if name.endswith("interface_info"):
        getattr(UDisks, name)().generate_xml(0, text)
print("<node>" + text.str + "</node>")`;
  const { stdout } = await run(python as string, ['-c', program]);
  assert.ok(holds(udisks2, stdout) >= 200, `${holds(udisks2, stdout)}`);
});

const missingMenu = missingGlib ?? (await missingModule('Dbusmenu', '0.4'));
testUnless(missingMenu, test, 'dbusmenu', () => {
  const program = `
import gi
gi.require_version("Dbusmenu", "0.4")
from gi.repository import Dbusmenu, GLib, Gio
server = Dbusmenu.Server.new("/menu")
server.set_root(Dbusmenu.Menuitem.new())
Gio.bus_own_name_on_connection(Gio.bus_get_sync(Gio.BusType.SESSION), "org.example.Menu", 0, None, None)
GLib.MainLoop().run()`;
  return withDaemon('org.example.Menu', python as string, ['-c', program], async (bus) => {
    const menu = bus.proxy(dbusmenu.DBusMenu, 'org.example.Menu', '/menu');
    let members = 0;
    while (members === 0) members = await holdsLive(bus, dbusmenu, 'org.example.Menu', '/menu').catch(() => 0);
    assert.ok(members >= 14);
    const [revision, [root, , children]] = await menu.call.GetLayout(0, -1, []);
    assert.equal([typeof revision, root, children], ['number', 0, []]);
  });
});

testUnless(missingMock(), test, 'the mock of BlueZ', () =>
  withMock('bluez5', async (bus) => {
    const mock = { destination: bluez.NAME, path: '/', interface: 'org.bluez.Mock' };
    await bus.call({ ...mock, member: 'AddAdapter', signature: 'ss', body: ['hci0', 'machine'] });
    await bus.call({ ...mock, member: 'AddDevice', signature: 'sss', body: ['hci0', '11:22:33:44:55:66', 'phone'] });
    assert.ok((await holdsLive(bus, bluez, bluez.NAME, '/org/bluez/hci0', true)) >= 10);
    // It sends manufacturer data of another type than BlueZ.
    const device = bus.proxy(bluez.Device, bluez.NAME, '/org/bluez/hci0/dev_11_22_33_44_55_66');
    assert.equal([await device.get.Address(), await device.get.Alias()], ['11:22:33:44:55:66', 'phone']);
    const adapter = bus.proxy(bluez.Adapter, bluez.NAME, '/org/bluez/hci0');
    await adapter.call.SetDiscoveryFilter({ Transport: 'le', RSSI: -80 });
    await adapter.call.StartDiscovery();
    assert.is(await adapter.get.Discovering(), true);
  }),
);

const missingShell =
  missingMock() ?? (programPath('bluetoothctl') === undefined ? 'bluetoothctl not installed' : undefined);
testUnless(missingShell, test, 'the agent of bluetoothctl, whose tables were read in the program', () =>
  withMock('bluez5', async (bus, env) => {
    await using shell = Program.start('bluetoothctl', ['--agent', 'NoInputNoOutput'], { env });
    let members = 0;
    while (members === 0 && shell.running) {
      for (const name of (await bus.listNames()).filter((each) => each.startsWith(':'))) {
        members += await holdsLive(bus, bluez, name, '/org/bluez/agent').catch(() => 0);
      }
    }
    assert.is(members, bluez.Agent.description.methods.size);
  }),
);

testUnless(missingMock(), test, 'the mock of NetworkManager keeps settings of the described types', () =>
  withMock('networkmanager', async (bus) => {
    assert.ok((await holdsLive(bus, networkmanager, networkmanager.NAME, networkmanager.PATH, true)) >= 10);
    const settings = bus.proxy(networkmanager.Settings, networkmanager.NAME, networkmanager.SETTINGS);
    const path = await settings.call.AddConnection({
      connection: { id: 'home', uuid: '6d4a2bd7-4a86-4a55-a2e1-c7a6b1f0f2d1', type: '802-3-ethernet' },
      ipv4: { method: 'manual', 'address-data': [{ address: '10.0.0.2', prefix: 24 }], dns: [16_843_009] },
    });
    const stored = bus.proxy(networkmanager.SettingsConnection, networkmanager.NAME, path);
    const { connection, ipv4 } = await stored.call.GetSettings();
    assert.is(connection?.id, 'home');
    assert.equal(ipv4?.['address-data'], [{ address: '10.0.0.2', prefix: 24 }]);
  }),
);

const missingPlayer =
  PrivateBus.missing() ??
  (['cmus', 'script'].every((name) => programPath(name) !== undefined) ? undefined : 'cmus not installed');
testUnless(missingPlayer, test, 'the player cmus', () =>
  withDaemon('org.mpris.MediaPlayer2.cmus', 'script', ['-qec', 'cmus --listen /tmp/none', '/dev/null'], async (bus) => {
    const name = 'org.mpris.MediaPlayer2.cmus';
    assert.ok((await holdsLive(bus, mpris, name, mpris.PATH)) >= 25);
    assert.is(await bus.proxy(mpris.Player, name, mpris.PATH).get.PlaybackStatus(), 'Stopped');
  }),
);

for (const [program, family, least] of [
  ['systemd-logind', login1, 100],
  ['systemd', systemd1, 500],
] as const) {
  const path = `/lib/systemd/${program}`;
  testUnless(existsSync(path) ? undefined : `${path} not installed`, test, `what ${program} prints`, async () => {
    const { code, stdout } = await run(path, ['--bus-introspect=list']);
    assert.is(code, 0);
    let members = 0;
    for (const line of stdout.trim().split('\n')) {
      const { stdout: xml } = await run(path, [`--bus-introspect=${line.split('\t')[1]}`]);
      members += holds(family, xml);
    }
    assert.ok(members >= least, `${members}`);
  });
}

test.run();
