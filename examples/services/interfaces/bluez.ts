/** Interfaces of BlueZ: what an adapter, its devices and their GATT servers have, and the agents of users. */
import { defineInterface, dict } from 'busbar';

const text = { type: 's', access: 'read' } as const;
const texts = { type: 'as', access: 'read' } as const;
const flag = { type: 'b', access: 'read' } as const;
const path = { type: 'o', access: 'read' } as const;
const options = dict({ 'offset?': 'q', '...': 'v' }, 'options:a{sv}');

export const Adapter = defineInterface('org.bluez.Adapter1', {
  methods: {
    SetDiscoveryFilter: { in: ['filter:a{sv}'] },
    GetDiscoveryFilters: { out: ['names:as'] },
    ...{ StartDiscovery: {}, StopDiscovery: {} },
    RemoveDevice: { in: ['device:o'] },
  },
  properties: {
    ...{ Address: text, AddressType: text, Name: text, UUIDs: texts, Discovering: flag },
    ...{ Alias: { type: 's' }, Powered: { type: 'b' }, Discoverable: { type: 'b' }, Pairable: { type: 'b' } },
    Class: { type: 'u', access: 'read' },
  },
});

export const Device = defineInterface('org.bluez.Device1', {
  methods: { Connect: {}, Disconnect: {}, Pair: {}, CancelPairing: {} },
  properties: {
    ...{ Adapter: path, Address: text, AddressType: text, Name: text, UUIDs: texts },
    ...{ Paired: flag, Bonded: flag, Connected: flag, ServicesResolved: flag, LegacyPairing: flag },
    ...{ Alias: { type: 's' }, Trusted: { type: 'b' }, Blocked: { type: 'b' } },
    RSSI: { type: 'n', access: 'read' },
  },
});

export const GattService = defineInterface('org.bluez.GattService1', {
  properties: { UUID: text, Device: path, Primary: flag },
});

export const GattCharacteristic = defineInterface('org.bluez.GattCharacteristic1', {
  methods: {
    ReadValue: { in: [options], out: ['value:ay'] },
    WriteValue: { in: ['value:ay', options] },
    ...{ StartNotify: {}, StopNotify: {} },
  },
  properties: { UUID: text, Service: path, Flags: texts, Notifying: flag, Value: { type: 'ay', access: 'read' } },
});

export const AgentManager = defineInterface('org.bluez.AgentManager1', {
  methods: {
    RegisterAgent: { in: ['agent:o', 'capability:s'] },
    UnregisterAgent: { in: ['agent:o'] },
    RequestDefaultAgent: { in: ['agent:o'] },
  },
});

/** Applications that talk with a user export an agent, and BlueZ calls it. */
export const Agent = defineInterface('org.bluez.Agent1', {
  methods: { RequestConfirmation: { in: ['device:o', 'passkey:u'] }, Cancel: {}, Release: {} },
});
