/** examples/services/bluetooth.ts, as bluetoothctl and the object manager client of GLib use it. */
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../../helpers/paths.js';
import type { Program } from '../../helpers/program.js';
import { pythonWith } from '../../helpers/python.js';
import { missingClients, ServiceExample } from '../../helpers/service-example.js';
import { testUnless } from '../../helpers/skip.js';
import { until } from '../../helpers/until.js';

const test = suite('the Bluetooth adapter of the examples');
const missing = missingClients('bluetoothctl');
const python = pythonWith('gi');
const missingGlib = missingClients() ?? (python === undefined ? 'python3-gi not installed' : undefined);
const adapter = '/org/bluez/hci0';
const kitchen = '00:11:22:33:44:55';
const kitchenPath = `${adapter}/dev_00_11_22_33_44_55`;
const withAdapter = (use: (example: ServiceExample) => Promise<void>) => ServiceExample.with('bluetooth', use);

/** Waits for text of bluetoothctl, whose prompts are no lines, after what earlier calls have returned. */
class Shell implements AsyncDisposable {
  readonly program: Program;
  #seen = 0;

  constructor(example: ServiceExample, ...args: string[]) {
    this.program = example.start('bluetoothctl', ...args);
  }

  /** Waits until all of these have been printed, in any order. */
  async shows(...patterns: readonly RegExp[]): Promise<void> {
    const rest = () => this.#text.slice(this.#seen);
    const ends = () =>
      patterns.map((pattern) => {
        const match = pattern.exec(rest());
        return match === null ? Number.NaN : match.index + match[0].length;
      });
    await until(() => !ends().some(Number.isNaN) || !this.program.running).catch(() => {});
    const missed = patterns.filter((_, index) => Number.isNaN(ends()[index]));
    if (missed.length > 0)
      throw new Error(`bluetoothctl has not printed ${missed.join(' and ')}:\n${rest().replaceAll(/.*RSSI.*\n/g, '')}`);
    this.#seen += Math.max(...ends());
  }

  /** Types a command, and waits for text. */
  async type(command: string, ...patterns: readonly RegExp[]): Promise<void> {
    this.program.write(`${command}\n`);
    await this.shows(...patterns);
  }

  get #text(): string {
    return stripVTControlCharacters(this.program.stdout).replaceAll(/[^\P{Cc}\n\t]/gu, '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop().catch(() => {});
  }
}

/** bluetoothctl with an agent, and both devices found. */
async function discovered(example: ServiceExample): Promise<Shell> {
  const shell = new Shell(example);
  await shell.shows(/Agent registered/);
  await shell.type('scan on', /Discovery started/);
  await shell.type('devices', /Device 00:11:22:33:44:66 Cellar/);
  return shell;
}

testUnless(missing, test, 'bluetoothctl lists the adapter, finds the devices, and shows them', () =>
  withAdapter(async (example) => {
    assert.match(await example.output('bluetoothctl', 'list'), /Controller 00:AA:BB:CC:DD:EE busbar \[default\]/);
    assert.match(await example.output('bluetoothctl', 'show'), /Powered: yes.*Discovering: no/s);
    assert.is(await example.output('bluetoothctl', 'devices'), '');
    await using shell = await discovered(example);
    await shell.shows(/RSSI: -\d\d/);
    const devices = (await example.output('bluetoothctl', 'devices')).split('\n').sort();
    assert.equal(devices, [`Device ${kitchen} Kitchen`, 'Device 00:11:22:33:44:66 Cellar']);
    const info = await example.output('bluetoothctl', 'info', kitchen);
    assert.match(info, /Name: Kitchen\n\tAlias: Kitchen\n\tPaired: no/);
    assert.match(info, /UUID: Environmental Sensing/);
    await shell.type('system-alias Computer', /Changing Computer succeeded/);
    assert.match(await example.output('bluetoothctl', 'show'), /Alias: Computer/);
    await shell.type(`remove ${kitchen}`, /Device has been removed/);
  }),
);

testUnless(missing, test, 'bluetoothctl pairs when its user confirms, and not otherwise', () =>
  withAdapter(async (example) => {
    await using shell = await discovered(example);
    await shell.type(`pair ${kitchen}`, /Confirm passkey \d{6} \(yes\/no\)/);
    await shell.type('no', /Failed to pair: org\.bluez\.Error\.AuthenticationRejected/);
    await shell.type(`pair ${kitchen}`, /Confirm passkey \d{6} \(yes\/no\)/);
    await shell.type('yes', /Pairing successful/);
    await example.program.line('Kitchen is paired');
    assert.match(await example.output('bluetoothctl', 'info', kitchen), /Paired: yes/);
    await shell.type(`pair ${kitchen}`, /Failed to pair: org\.bluez\.Error\.AlreadyExists/);
  }),
);

testUnless(missing, test, 'a pairing ends when its client leaves, and when another client cancels it', () =>
  withAdapter(async (example) => {
    await using other = await discovered(example);
    const leaving = new Shell(example);
    await leaving.shows(/Agent registered/);
    await leaving.type(`pair ${kitchen}`, /Confirm passkey/);
    await other.type(`pair ${kitchen}`, /Failed to pair: org\.bluez\.Error\.InProgress/);
    leaving.program.kill();
    await leaving.program.finished;
    await example.program.line('Kitchen is not paired');
    await other.type(`pair ${kitchen}`, /Confirm passkey/);
    await using third = new Shell(example);
    await third.shows(/Agent registered/);
    await third.type(`cancel-pairing ${kitchen}`, /Cancel pairing successful/);
    await other.shows(/Failed to pair: org\.bluez\.Error\.AuthenticationCanceled/);
  }),
);

testUnless(
  missing,
  test,
  'each of two clients confirms with its own agent, and one without gets the default agent',
  () =>
    withAdapter(async (example) => {
      await using first = await discovered(example);
      await first.type('default-agent', /Default agent request successful/);
      await using second = new Shell(example);
      await second.shows(/Agent registered/);
      await second.type(`pair ${kitchen}`, /Confirm passkey/);
      await first.type('pair 00:11:22:33:44:66', /Confirm passkey/);
      await second.type('yes', /Pairing successful/);
      await first.type('yes', /Pairing successful/);
      await first.type(`remove ${kitchen}`, /Device has been removed/);
      await first.shows(new RegExp(`Device ${kitchen} Kitchen`));
      await using none = new Shell(example, '--agent=NoInputNoOutput');
      await none.shows(/Agent registered/);
      await none.type('agent off', /Agent unregistered/);
      await none.type(`pair ${kitchen}`, /Attempting to pair/);
      await first.shows(/Confirm passkey/);
      await first.type('yes', /yes/);
      await none.shows(/Pairing successful/);
    }),
);

testUnless(missing, test, 'bluetoothctl reads, writes and follows the GATT server', () =>
  withAdapter(async (example) => {
    await using shell = await discovered(example);
    await shell.type(`connect ${kitchen}`, /Connection successful/);
    const gatt = `${kitchenPath}/service0001`;
    await shell.type('gatt.list-attributes', new RegExp(`${gatt}/char0002`));
    await shell.type(`gatt.select-attribute ${gatt}/char0004`, /Device Name/);
    await shell.type('gatt.read', /4b 69 74 63 68 65 6e/);
    await shell.type('gatt.write "0x48 0x69"', /Attempting to write/);
    await example.program.line('2a00 is 4869');
    await shell.type('gatt.read', /48 69/);
    await shell.type('gatt.read 1', /69/);
    await shell.type('gatt.read 9', /org\.bluez\.Error\.InvalidOffset/);
    await shell.type(`gatt.select-attribute ${gatt}/char0002`, /char0002\]# /);
    await shell.type('gatt.notify on', /Notify started/);
    await shell.shows(/Attribute .*char0002 Value:\n.*# +[0-9a-f]{2} 0[78]/);
    await shell.type('gatt.notify off', /Notify stopped/);
    await shell.type('disconnect', /Successful disconnected/);
    await example.program.line('Kitchen is disconnected');
  }),
);

testUnless(missing, test, 'discovery lasts as long as a client wants it', () =>
  withAdapter(async (example) => {
    const first = await discovered(example);
    await using second = await discovered(example);
    const discovering = async () => /Discovering: (\w+)/.exec(await example.output('bluetoothctl', 'show'))?.[1];
    await first.type('scan off', /Discovery stopped/);
    assert.is(await discovering(), 'yes');
    await first.type('scan on', /Discovery started/);
    await second.type('scan off', /Discovery stopped/);
    assert.is(await discovering(), 'yes');
    first.program.kill();
    await first.program.finished;
    await example.program.line('discovery has ended');
    assert.is(await discovering(), 'no');
    await second.type('power off', /Changing power off succeeded/);
    await second.type('scan on', /Failed to start discovery: org\.bluez\.Error\.NotReady/);
  }),
);

testUnless(missing, test, 'bluetoothctl goes on after a restart of the service', () =>
  withAdapter(async (example) => {
    await using shell = await discovered(example);
    await example.restart();
    await shell.shows(/Agent registered/);
    await shell.type('scan on', /Discovery started/, /Device 00:11:22:33:44:66 Cellar/);
    await shell.type(`pair ${kitchen}`, /Confirm passkey/);
    await shell.type('yes', /Pairing successful/);
  }),
);

testUnless(missingGlib, test, "GLib's object manager client sees the objects, their changes, and a restart", () =>
  withAdapter(async (example) => {
    await using client = example.start(python as string, join(projectRoot, 'test/interop/peers/bluez_objects.py'));
    const ask = (request: object) => client.write(`${JSON.stringify(request)}\n`);
    const call = async (path: string, kind: string, method: string, args = '()') => {
      ask({ path, interface: `org.bluez.${kind}`, method, arguments: args });
      return (await client.event('reply')).values;
    };
    const objects = async () => {
      ask({ method: 'objects' });
      return (await client.event('objects')) as { objects: Record<string, Record<string, object>>; owner: boolean };
    };
    await client.event('ready');
    const before = await objects();
    assert.equal(Object.keys(before.objects).sort(), ['/org/bluez', adapter]);
    assert.match(JSON.stringify(before.objects[adapter]), /"Alias": ?"busbar"/);

    await call(adapter, 'Adapter1', 'StartDiscovery');
    // The reply comes after the signals, which GLib tells in its loop.
    const added = await client.event('added');
    assert.is(added.path, kitchenPath);
    const { 'org.bluez.Device1': device } = added.interfaces as Record<string, { Name: string; RSSI: number }>;
    assert.equal([device?.Name, device?.RSSI], ['Kitchen', -60]);
    await call(kitchenPath, 'Device1', 'Connect');
    const service = await client.event('added');
    assert.is(service.path, `${kitchenPath}/service0001`);
    assert.is((await client.event('added')).path, `${kitchenPath}/service0001/char0002`);
    assert.is((await client.event('added')).path, `${kitchenPath}/service0001/char0004`);
    const characteristic = `${kitchenPath}/service0001/char0004`;
    const value = [...Buffer.from('Kitchen')];
    assert.equal(await call(characteristic, 'GattCharacteristic1', 'ReadValue', '(@a{sv} {},)'), [value]);
    await call(characteristic, 'GattCharacteristic1', 'WriteValue', "([byte 1, 2], {'offset': <uint16 7>})");
    const changed = await client.event('changed');
    assert.equal(changed.values, { Value: [...value, 1, 2] });
    await call(adapter, 'Adapter1', 'RemoveDevice', `(objectpath '${kitchenPath}',)`);
    const gone = [await client.event('removed'), await client.event('removed'), await client.event('removed')];
    assert.ok(
      gone.every(({ path }) => `${path}`.startsWith(`${kitchenPath}/`)),
      JSON.stringify(gone),
    );
    assert.is((await client.event('removed')).path, kitchenPath);

    await example.restart();
    let after = await objects();
    while (Object.keys(after.objects).length < 2) after = await objects();
    assert.equal([Object.keys(after.objects).sort(), after.owner], [['/org/bluez', adapter], true]);
  }),
);

test.run();
