/** The usual tools for debugging D-Bus, on a service of busbar: busctl, gdbus, dbus-send, dbus-monitor. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf, Program, run } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { interfaceName, name, path, startService } from './quickstart-service.js';

const test = suite('command line tools');
const missing = (...programs: string[]) => PrivateBus.missing() ?? missingPrograms(...programs);

let daemon: PrivateBus | undefined;
let service: Program | undefined;

/** A separate service for each test, because they write its property. */
test.before.each(async () => {
  daemon = await PrivateBus.start();
  service = await startService(daemon);
});

test.after.each(async () => {
  await service?.stop();
  await daemon?.stop();
});

const env = () => (daemon as PrivateBus).env;
const busctl = (...args: string[]) => outputOf('busctl', ['--user', '--no-pager', ...args], { env: env() });
const gdbus = (command: string, ...args: string[]) =>
  outputOf('gdbus', [command, '--session', '--dest', name, '--object-path', path, ...args], { env: env() });
const dbusSend = (member: string, ...args: string[]) =>
  run('dbus-send', ['--session', '--print-reply', `--dest=${name}`, path, member, ...args], { env: env() });

testUnless(missing('busctl'), test, 'busctl introspect lists the members with their flags', async () => {
  const lines = (await busctl('introspect', name, path)).split('\n').map((line) => line.trim().replace(/ +/g, ' '));
  const own = lines.slice(lines.findIndex((line) => line.startsWith(interfaceName)));
  assert.is(own[0], `${interfaceName} interface - - -`);
  assert.is(own[1], '.TestMethod method sa{sas} s -');
  // Some versions of busctl truncate the value.
  assert.match(own[2] as string, /^\.TestProperty property a\{ss\} 3 "web" "running" .* emits-change writable$/);
  assert.is(own[3], '.TestSignal signal a{ss} - -');
});

testUnless(missing('busctl'), test, 'busctl tree finds the object', async () => {
  assert.match(await busctl('tree', '--list', name), `${path}\n`);
});

testUnless(missing('busctl'), test, 'busctl call reaches the method', async () => {
  const args = ['sa{sas}', 'kvm', '2', 'usb', '2', 'keyboard', 'mouse', 'disk', '1', 'sdb'];
  assert.is(await busctl('call', name, path, interfaceName, 'TestMethod', ...args), 's "Success"\n');
});

testUnless(missing('busctl'), test, 'busctl get-property and set-property read and write', async () => {
  await busctl('set-property', name, path, interfaceName, 'TestProperty', 'a{ss}', '1', 'web', 'stopped');
  const value = await busctl('--json=short', 'get-property', name, path, interfaceName, 'TestProperty');
  assert.equal(JSON.parse(value), { type: 'a{ss}', data: { web: 'stopped' } });
});

testUnless(missing('busctl'), test, 'busctl monitor prints the call, the signal and the reply', async () => {
  const monitor = Program.start('busctl', ['--user', '--json=short', 'monitor', name], { env: env() });
  await busctl('status', name);
  await untilMonitored(monitor, () => busctl('call', name, path, interfaceName, 'TestMethod', 'sa{sas}', 'kvm', '0'));
  const signal = JSON.parse(await monitor.line('"member":"TestSignal"'));
  assert.is(signal.path, path);
  assert.equal(signal.payload, { type: 'a{ss}', data: [{ web: 'detached ', mail: 'detached ' }] });
  await monitor.stop();
});

testUnless(missing('gdbus'), test, 'gdbus introspect prints the interface', async () => {
  const text = (await gdbus('introspect')).replace(/\s+/g, ' ');
  assert.match(text, `interface ${interfaceName} {`);
  assert.match(text, 'TestMethod(in s kind, in a{sas} devices, out s result);');
  assert.match(text, 'TestSignal(a{ss} vms);');
  assert.match(text, "readwrite a{ss} TestProperty = {'web': 'running', 'mail': 'running', 'build': 'paused'};");
});

testUnless(missing('gdbus'), test, 'gdbus call reaches the method', async () => {
  const args = ['kvm', "{'usb': ['keyboard', 'mouse']}"];
  assert.is(await gdbus('call', '--method', `${interfaceName}.TestMethod`, ...args), "('Success',)\n");
});

testUnless(missing('gdbus'), test, 'gdbus monitor prints the signal and the change of the property', async () => {
  const monitor = Program.start('gdbus', ['monitor', '--session', '--dest', name, '--object-path', path], {
    env: env(),
  });
  await monitor.line('is owned by');
  await gdbus('call', '--method', `${interfaceName}.TestMethod`, 'xen', "{'usb': ['mouse']}");
  assert.is(await monitor.line('TestSignal'), `${path}: ${interfaceName}.TestSignal ({'build': 'detached mouse'},)`);
  const set = [
    '--method',
    'org.freedesktop.DBus.Properties.Set',
    interfaceName,
    'TestProperty',
    "<{'web': 'stopped'}>",
  ];
  await gdbus('call', ...set);
  assert.match(await monitor.line('PropertiesChanged'), `('${interfaceName}', {'TestProperty': <{'web': 'stopped'}>}`);
  await monitor.stop();
});

testUnless(missing('dbus-send'), test, 'dbus-send reads the property', async () => {
  const get = 'org.freedesktop.DBus.Properties.Get';
  const { stdout } = await dbusSend(get, `string:${interfaceName}`, 'string:TestProperty');
  assert.match(stdout.replace(/\s+/g, ' '), 'variant array [ dict entry( string "web" string "running" )');
});

testUnless(missing('dbus-send'), test, 'dbus-send prints the error of its call', async () => {
  const unknown = await dbusSend(`${interfaceName}.NoSuchMethod`);
  assert.match(unknown.stderr, 'Error org.freedesktop.DBus.Error.UnknownMethod');
  const misfit = await dbusSend(`${interfaceName}.TestMethod`, 'int32:7');
  assert.match(misfit.stderr, 'Error org.freedesktop.DBus.Error.InvalidArgs');
});

testUnless(missing('dbus-monitor'), test, 'dbus-monitor prints the signal', async () => {
  const monitor = Program.start('dbus-monitor', ['--session', `interface='${interfaceName}',type='signal'`], {
    env: env(),
  });
  await untilMonitored(monitor, () => busctl('call', name, path, interfaceName, 'TestMethod', 'sa{sas}', 'xen', '0'));
  assert.match(await monitor.line('TestSignal'), `path=${path}; interface=${interfaceName}; member=TestSignal`);
  await monitor.stop();
});

/** Monitors do not report when they are active: repeats an action until one prints its signal. */
async function untilMonitored(monitor: Program, action: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 50 && !monitor.stdout.includes('TestSignal'); tries++) {
    await action();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test.run();
