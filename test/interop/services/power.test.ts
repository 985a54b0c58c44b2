/**
 * examples/services/battery.ts and power-profiles.ts: upower and powerprofilesctl print what they print of the services
 * that python-dbusmock plays.
 */
import { defineInterface, type MessageBus, variant } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingMock, withMock } from '../../helpers/mocked-service.js';
import { outputOf, type Program } from '../../helpers/program.js';
import { missingClients, ServiceExample } from '../../helpers/service-example.js';
import { testUnless } from '../../helpers/skip.js';

const test = suite('battery and power profiles of the examples');
const missingUpower = missingClients('upower', 'gdbus');
const missingProfiles = missingClients('powerprofilesctl');
const english = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };

const UPOWER = 'org.freedesktop.UPower';
const devices = '/org/freedesktop/UPower/devices';
/** The time of a device's last change, which the mock does not have. */
const withoutTimes = (text: string) => text.replaceAll(/^ *updated: .*\n/gm, '').trimEnd();

/** Gives the mock the devices of the example. */
async function addDevices(bus: MessageBus): Promise<void> {
  const Template = defineInterface('org.freedesktop.DBus.Mock', {
    methods: {
      AddAC: { in: ['name:s', 'model:s'], out: ['path:s'] },
      AddDischargingBattery: { in: ['name:s', 'model:s', 'percentage:d', 'seconds:x'], out: ['path:s'] },
      SetupDisplayDevice: { in: 'uuddddxxbsu' },
      AddProperties: { in: ['interface:s', 'properties:a{sv}'] },
      UpdateProperties: { in: ['interface:s', 'properties:a{sv}'] },
    },
  });
  const mock = (path: string) => bus.proxy(Template, UPOWER, path).call;
  const main = mock('/org/freedesktop/UPower');
  await main.UpdateProperties(UPOWER, { OnBattery: true, LidIsPresent: false });
  await main.AddAC('line_power_AC', 'Mains');
  await mock(`${devices}/line_power_AC`).UpdateProperties(`${UPOWER}.Device`, { Online: false });
  await mock(`${devices}/line_power_AC`).AddProperties(`${UPOWER}.Device`, {
    Type: variant.u(1),
    NativePath: 'AC',
    BatteryLevel: variant.u(1),
    WarningLevel: variant.u(1),
    IconName: 'ac-adapter-symbolic',
  });
  await main.AddDischargingBattery('battery_BAT0', 'Everlasting', 80, 4800);
  const battery = mock(`${devices}/battery_BAT0`);
  await battery.UpdateProperties(`${UPOWER}.Device`, { Energy: variant.d(40), EnergyFull: variant.d(50) });
  await battery.AddProperties(`${UPOWER}.Device`, {
    NativePath: 'BAT0',
    BatteryLevel: variant.u(1),
    EnergyRate: variant.d(30),
    WarningLevel: variant.u(1),
    IconName: 'battery-level-80-symbolic',
  });
  await mock(`${devices}/DisplayDevice`).AddProperties(`${UPOWER}.Device`, { BatteryLevel: variant.u(1) });
  await main.SetupDisplayDevice(2, 2, 80, 40, 50, 30, 4800, 0, true, 'battery-level-80-symbolic', 1);
}

testUnless(
  missingMock() ?? missingUpower,
  test,
  'upower prints what it prints of the mock with the same devices',
  async () => {
    const printed: string[][] = [];
    const print = async (output: (...args: string[]) => Promise<string>) =>
      printed.push([
        ...(await output('--enumerate')).trimEnd().split('\n').sort(),
        withoutTimes(await output('--dump')),
        withoutTimes(await output('--show-info', `${devices}/battery_BAT0`)),
      ]);
    await withMock('upower', async (bus, env) => {
      await addDevices(bus);
      await print((...args) => outputOf('upower', args, { env: { ...env, ...english } }));
    });
    await ServiceExample.with('battery', async (example) => {
      await print((...args) => example.output('upower', ...args));
    });
    const [mock, example] = printed;
    assert.equal(example, mock);
    const dump = example?.find((text) => text.includes('Daemon:')) ?? '';
    for (const line of [
      /model: +Everlasting/,
      /state: +discharging/,
      /percentage: +80%$/m,
      /time to empty: +1\.3 hours/,
    ])
      assert.match(dump, line);
  },
);

const refresh = (example: ServiceExample) =>
  example.gdbus(UPOWER, `${devices}/battery_BAT0`, `${UPOWER}.Device.Refresh`);

testUnless(missingUpower, test, 'upower sees how the battery is emptied and charged', () =>
  ServiceExample.with(
    'battery',
    async (example) => {
      await using monitor = example.start('upower', '--monitor-detail');
      await monitor.line(/Monitoring activity/);
      const info = () => example.output('upower', '--show-info', `${devices}/battery_BAT0`);
      assert.match(await info(), /warning-level: +low/);
      await refresh(example);
      await monitor.line(/percentage: +6%/);
      await refresh(example);
      await monitor.line(/percentage: +5%/);
      assert.match(await info(), /state: +charging\n +warning-level: +none/);
      assert.match(await example.output('upower', '--show-info', `${devices}/line_power_AC`), /online: +yes/);
      await refresh(example);
      assert.match(await info(), /percentage: +6%/);
      assert.match(await info(), /time to full: +1\.6 hours/);
    },
    ['7'],
  ),
);

testUnless(missingUpower, test, 'upower finds the battery after a restart', () =>
  ServiceExample.with('battery', async (example) => {
    await refresh(example);
    assert.match(await example.output('upower', '--dump'), /percentage: +79%/);
    await example.restart();
    assert.match(await example.output('upower', '--dump'), /percentage: +80%/);
  }),
);

testUnless(missingMock() ?? missingProfiles, test, 'powerprofilesctl prints what it prints of the mock', async () => {
  const commands = [
    ['list'],
    ['get'],
    ['list-holds'],
    ['set', 'performance'],
    ['get'],
    ['list'],
    [],
    ['set', 'power-saver'],
    ['list'],
  ];
  const launched = [
    'launch',
    '-p',
    'power-saver',
    '-r',
    'saving',
    '-i',
    'org.example.Saver',
    'powerprofilesctl',
    'list-holds',
  ];
  const printed: string[][] = [];
  const print = async (output: (...args: string[]) => Promise<string>) => {
    const texts: string[] = [];
    for (const command of [...commands, launched, ['list-holds']])
      texts.push((await output(...command)).replaceAll(/(?<=Driver: +)\w+/g, 'driver').trimEnd());
    printed.push(texts);
  };
  await withMock('power_profiles_daemon', (_bus, env) =>
    print((...args) => outputOf('powerprofilesctl', args, { env: { ...env, ...english } })),
  );
  await ServiceExample.with('power-profiles', (example) =>
    print((...args) => example.output('powerprofilesctl', ...args)),
  );
  const [mock, example] = printed;
  assert.equal(example, mock);
  assert.match(
    example?.at(-2) ?? '',
    /Profile: +power-saver\n +Application ID: +org\.example\.Saver\n +Reason: +saving/,
  );
  assert.is(example?.at(-1), '');
});

/** Holds a profile until the program ends, and prints that it does. */
const hold = (example: ServiceExample, profile: string): Program =>
  example.start('powerprofilesctl', 'launch', '-p', profile, 'sh', '-c', 'echo held; cat');

testUnless(missingProfiles, test, 'a hold ends with its holder, and the one that saves power wins', () =>
  ServiceExample.with('power-profiles', async (example) => {
    const get = () => example.output('powerprofilesctl', 'get');
    await using fast = hold(example, 'performance');
    await fast.line('held');
    assert.is(await get(), 'performance');
    await using saver = hold(example, 'power-saver');
    await saver.line('held');
    assert.is(await get(), 'power-saver');
    saver.kill();
    await example.program.line(/^the holder has left: performance is active/);
    assert.is(await get(), 'performance');
    await fast.stop();
    await example.program.line(/^released: balanced is active|^the holder has left: balanced is active/);
    assert.is(await get(), 'balanced');
  }),
);

testUnless(missingProfiles, test, 'the choice of a user releases all holds, and tells the holders', () =>
  ServiceExample.with('power-profiles', async (example) => {
    const Profiles = defineInterface('net.hadess.PowerProfiles', {
      methods: { HoldProfile: { in: 'sss', out: 'u' } },
      signals: { ProfileReleased: { args: ['cookie:u'] } },
    });
    const profiles = example.bus.proxy(Profiles, 'net.hadess.PowerProfiles', '/net/hadess/PowerProfiles');
    const released = profiles.once.ProfileReleased({ timeout: 10_000 });
    const cookie = await profiles.call.HoldProfile('performance', 'a game', 'org.example.Game');
    await example.output('powerprofilesctl', 'set', 'power-saver');
    assert.equal(await released, [cookie]);
    assert.is(await example.output('powerprofilesctl', 'list-holds'), '');
    assert.is(await example.output('powerprofilesctl', 'get'), 'power-saver');
  }),
);

testUnless(missingProfiles, test, 'powerprofilesctl prints why a profile is refused', () =>
  ServiceExample.with('power-profiles', async (example) => {
    const refused = async (reason: RegExp, ...args: string[]) => {
      const { code, stderr } = await example.run('powerprofilesctl', ...args);
      assert.is(code, 1);
      assert.match(stderr, reason);
    };
    await refused(/warp is not one of power-saver, balanced, performance/, 'set', 'warp');
    await refused(/balanced cannot be held/, 'launch', '-p', 'balanced', 'true');
    assert.is(await example.output('powerprofilesctl', 'get'), 'balanced');
  }),
);

test.run();
