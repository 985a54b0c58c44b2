/** Interfaces of UPower, with the properties of devices that clients show most. */
import { defineInterface } from 'busbar';

const text = { type: 's', access: 'read' } as const;
const flag = { type: 'b', access: 'read' } as const;
const kind = { type: 'u', access: 'read' } as const;
const amount = { type: 'd', access: 'read' } as const;
const seconds = { type: 'x', access: 'read' } as const;

export const UPower = defineInterface('org.freedesktop.UPower', {
  methods: {
    EnumerateDevices: { out: ['devices:ao'] },
    GetDisplayDevice: { out: ['device:o'] },
    GetCriticalAction: { out: ['action:s'] },
  },
  signals: { DeviceAdded: { args: ['device:o'] }, DeviceRemoved: { args: ['device:o'] } },
  properties: { DaemonVersion: text, OnBattery: flag, LidIsPresent: flag, LidIsClosed: flag },
});

export const Device = defineInterface('org.freedesktop.UPower.Device', {
  methods: { Refresh: {} },
  properties: {
    ...{ Type: kind, NativePath: text, Model: text, PowerSupply: flag, Online: flag, IsPresent: flag, IconName: text },
    ...{ State: kind, WarningLevel: kind, BatteryLevel: kind, TimeToEmpty: seconds, TimeToFull: seconds },
    ...{ Percentage: amount, Energy: amount, EnergyFull: amount, EnergyRate: amount },
  },
});
