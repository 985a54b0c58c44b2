/** A battery for a machine that has none, for upower and the power settings of a desktop: 1 % a minute. */
import { defineInterface, implement, systemBus } from 'busbar';

const text = { type: 's', access: 'read' } as const;
const flag = { type: 'b', access: 'read' } as const;
const kind = { type: 'u', access: 'read' } as const;
const amount = { type: 'd', access: 'read' } as const;
const seconds = { type: 'x', access: 'read' } as const;
const UPower = defineInterface('org.freedesktop.UPower', {
  methods: {
    EnumerateDevices: { out: ['devices:ao'] },
    GetDisplayDevice: { out: ['device:o'] },
    GetCriticalAction: { out: ['action:s'] },
  },
  signals: { DeviceAdded: { args: ['device:o'] }, DeviceRemoved: { args: ['device:o'] } },
  properties: { DaemonVersion: text, OnBattery: flag, LidIsPresent: flag, LidIsClosed: flag },
});
const Device = defineInterface('org.freedesktop.UPower.Device', {
  methods: { Refresh: {} },
  properties: {
    ...{ Type: kind, Model: text, PowerSupply: flag, Online: flag, IsPresent: flag, IconName: text },
    ...{ State: kind, WarningLevel: kind, TimeToEmpty: seconds, TimeToFull: seconds },
    ...{ Percentage: amount, Energy: amount, EnergyFull: amount, EnergyRate: amount },
  },
});
const Type = { unknown: 0, mains: 1, battery: 2 } as const;
const State = { unknown: 0, charging: 1, discharging: 2 } as const;
const Warning = { none: 1, low: 3 } as const;
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
    WarningLevel: !charging && percentage <= 10 ? Warning.low : Warning.none,
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

const other = { Refresh() {}, Model: '', PowerSupply: false, Online: false, EnergyFull, EnergyRate };
const battery = implement(Device, {
  ...{ ...other, ...charge(), Type: Type.battery, Model: 'Everlasting', PowerSupply: true, IsPresent: true },
  Refresh: minute,
});
const display = implement(Device, { ...other, ...charge(), Type: Type.battery, IsPresent: true });
const none = { State: State.unknown, Percentage: 0, Energy: 0, EnergyFull: 0, EnergyRate: 0, TimeToEmpty: 0, TimeToFull: 0 };
const mains = implement(Device, {
  ...{ ...other, ...none, WarningLevel: Warning.none, IconName: 'ac-adapter-symbolic' },
  ...{ Type: Type.mains, Model: 'Mains', PowerSupply: true, IsPresent: false },
});
const upower = implement(UPower, {
  EnumerateDevices: () => [`${root}/devices/line_power_AC`, `${root}/devices/battery_BAT0`],
  GetDisplayDevice: () => `${root}/devices/DisplayDevice`,
  GetCriticalAction: () => 'HybridSleep',
  ...{ DaemonVersion: '0.99', OnBattery: true, LidIsPresent: false, LidIsClosed: false },
});

const bus = await systemBus();
bus.export(root, upower);
bus.export(`${root}/devices/line_power_AC`, mains);
bus.export(`${root}/devices/battery_BAT0`, battery);
bus.export(`${root}/devices/DisplayDevice`, display);
await bus.requestName('org.freedesktop.UPower');
setInterval(minute, 60_000).unref();
console.log('ready');
