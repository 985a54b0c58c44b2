/** A battery for a machine that has none, for upower and the power settings of a desktop: 1 % a minute. Ctrl+C ends it. */
import { implement, serve, systemBus } from 'busbar';
import { Device, UPower } from './interfaces/upower.js';

const Type = { mains: 1, battery: 2 } as const;
const State = { unknown: 0, charging: 1, discharging: 2 } as const;
/** A warning, and the level of a battery that tells no percentage. */
const Level = { none: 1, low: 3 } as const;
const root = '/org/freedesktop/UPower';

/** Watt-hours of a full battery, and the watts that flow into it and out of it. */
const EnergyFull = 50;
const EnergyRate = 30;
let percentage = Number(process.argv[2] ?? 80);
let charging = false;

/** What the battery and the display device, which stands for all batteries, have alike. */
function charge() {
  const toSeconds = (percent: number) => Math.round(((percent / 100) * EnergyFull * 3600) / EnergyRate);
  return {
    State: charging ? State.charging : State.discharging,
    Percentage: percentage,
    Energy: (percentage / 100) * EnergyFull,
    TimeToEmpty: charging ? 0 : toSeconds(percentage),
    TimeToFull: charging ? toSeconds(100 - percentage) : 0,
    WarningLevel: !charging && percentage <= 10 ? Level.low : Level.none,
    IconName: `battery-level-${Math.floor(percentage / 10) * 10}${charging ? '-charging' : ''}-symbolic`,
  };
}

function minute() {
  percentage += charging ? 1 : -1;
  if (percentage >= 100) charging = false;
  if (percentage <= 5) charging = true;
  for (const { properties } of [battery, display]) Object.assign(properties, charge());
  mains.properties.Online = charging;
  upower.properties.OnBattery = !charging;
  console.log(`${percentage} %, ${charging ? 'charging' : 'discharging'}`);
}

const other = {
  ...{ NativePath: '', Model: '', PowerSupply: false, Online: false, IsPresent: false, Refresh() {} },
  ...{ EnergyFull, EnergyRate, BatteryLevel: Level.none },
};
const battery = implement(Device, {
  ...{ ...other, ...charge(), Refresh: minute },
  ...{ Type: Type.battery, NativePath: 'BAT0', Model: 'Everlasting', PowerSupply: true, IsPresent: true },
});
const display = implement(Device, { ...other, ...charge(), Type: Type.battery, IsPresent: true });
const mains = implement(Device, {
  ...{ ...other, ...charge(), State: State.unknown, WarningLevel: Level.none, IconName: 'ac-adapter-symbolic' },
  ...{ Percentage: 0, Energy: 0, EnergyFull: 0, EnergyRate: 0, TimeToEmpty: 0, TimeToFull: 0 },
  ...{ Type: Type.mains, NativePath: 'AC', Model: 'Mains', PowerSupply: true },
});
const upower = implement(UPower, {
  EnumerateDevices: () => [`${root}/devices/line_power_AC`, `${root}/devices/battery_BAT0`],
  GetDisplayDevice: () => `${root}/devices/DisplayDevice`,
  GetCriticalAction: () => 'HybridSleep',
  ...{ DaemonVersion: '0.99', OnBattery: true, LidIsPresent: false, LidIsClosed: false },
});

await serve(await systemBus(), {
  name: 'org.freedesktop.UPower',
  objects: {
    [root]: upower,
    [`${root}/devices/line_power_AC`]: mains,
    [`${root}/devices/battery_BAT0`]: battery,
    [`${root}/devices/DisplayDevice`]: display,
  },
});
setInterval(minute, 60_000).unref();
console.log('ready');
