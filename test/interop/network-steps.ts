/** Random steps of the NetworkManager that python-dbusmock plays: its devices, access points and connections. */
import { defineInterface, type MessageBus } from 'busbar';
import { chosen, type Step } from '../helpers/view-steps.js';

const NAME = 'org.freedesktop.NetworkManager';
const ROOT = '/org/freedesktop/NetworkManager';

const Mock = defineInterface('org.freedesktop.DBus.Mock', {
  methods: {
    AddEthernetDevice: { in: 'ssi', out: 's' },
    AddWiFiDevice: { in: 'ssi', out: 's' },
    AddAccessPoint: { in: 'ssssuuuyu', out: 's' },
    RemoveAccessPoint: { in: 'ss' },
    AddWiFiConnection: { in: 'ssss', out: 's' },
    RemoveWifiConnection: { in: 'ss' },
    AddActiveConnection: { in: 'assssu', out: 's' },
    RemoveActiveConnection: { in: 'ss' },
    SetDeviceDisconnected: { in: 's' },
    SetGlobalConnectionState: { in: 'u' },
    SetConnectivity: { in: 'u' },
    SetNetworkingEnabled: { in: 'b' },
  },
});
const Settings = defineInterface(`${NAME}.Settings`, {
  methods: { AddConnection: { in: ['connection:a{sa{sv}}'], out: ['path:o'] } },
});
const Connection = defineInterface(`${NAME}.Settings.Connection`, { methods: { Delete: {} } });
const AccessPoint = defineInterface(`${NAME}.AccessPoint`, { properties: { Strength: { type: 'y' } } });

interface Wireless {
  /** The names of the networks by the paths of the access points. */
  readonly points: Map<string, string>;
  /** The paths of the connections. */
  readonly connections: Set<string>;
}

export function networkSteps(bus: MessageBus): Readonly<Record<string, Step>> {
  const mock = bus.proxy(Mock, NAME, '/org/freedesktop');
  const settings = bus.proxy(Settings, NAME, `${ROOT}/Settings`);
  /** By path. */
  const wireless = new Map<string, Wireless>();
  const wired = new Set<string>();
  /** Connections of no device. */
  const saved = new Set<string>();
  /** The device and the connection of each active connection, by path. */
  const active = new Map<string, readonly [device: string, connection: string]>();
  let made = 0;

  /** Connections that are not active: the mock does not end the others. */
  const idle = (paths: Iterable<string>) => {
    const used = new Set([...active.values()].map(([, connection]) => connection));
    return [...paths].filter((path) => !used.has(path));
  };

  return {
    async addWired({ first }) {
      if (wired.size >= 3) return;
      wired.add(await mock.call.AddEthernetDevice(`eth${++made}`, `eth${made}`, 10 * (first % 12)));
    },
    async addWireless({ first }) {
      if (wireless.size >= 3) return;
      const path = await mock.call.AddWiFiDevice(`wlan${++made}`, `wlan${made}`, 10 * (first % 12));
      wireless.set(path, { points: new Map(), connections: new Set() });
    },
    addPoint({ first, second }) {
      const [device, found] = chosen(wireless, first) ?? [];
      if (device === undefined || found === undefined) return undefined;
      const ssid = `net ${++made}`;
      return mock.call
        .AddAccessPoint(device, `ap${made}`, ssid, '00:11:22:33:44:55', 2, 2425, 5400, second % 101, 0)
        .then((path) => found.points.set(path, ssid));
    },
    setStrength({ first, second }) {
      const path = chosen(
        [...wireless.values()].flatMap(({ points }) => [...points.keys()]),
        first,
      );
      return path === undefined ? undefined : bus.proxy(AccessPoint, NAME, path).set.Strength(second % 101);
    },
    removePoint({ first, second }) {
      const [device, found] = chosen(wireless, first) ?? [];
      const path = chosen(found?.points.keys() ?? [], second);
      if (device === undefined || path === undefined) return undefined;
      found?.points.delete(path);
      return mock.call.RemoveAccessPoint(device, path);
    },
    addConnection({ first, second }) {
      const [device, found] = chosen(wireless, first) ?? [];
      const ssid = chosen(found?.points.values() ?? [], second);
      if (device === undefined || ssid === undefined) return undefined;
      return mock.call
        .AddWiFiConnection(device, `connection${++made}`, ssid, '')
        .then((path) => found?.connections.add(path));
    },
    removeConnection({ first, second }) {
      const [device, found] = chosen(wireless, first) ?? [];
      const path = chosen(idle(found?.connections ?? []), second);
      if (device === undefined || path === undefined) return undefined;
      found?.connections.delete(path);
      return mock.call.RemoveWifiConnection(device, path);
    },
    async save({ first }) {
      const connection = { id: `saved ${first}`, uuid: `uuid ${++made}`, type: '802-3-ethernet' };
      saved.add(await settings.call.AddConnection({ connection }));
    },
    delete({ first }) {
      const path = chosen(saved, first);
      if (path === undefined) return undefined;
      saved.delete(path);
      return bus.proxy(Connection, NAME, path).call.Delete();
    },
    activate({ first, second }) {
      const [device, found] = chosen(wireless, first) ?? [];
      const connection = chosen(idle(found?.connections ?? []), second);
      const point = chosen(found?.points.keys() ?? [], second);
      if (device === undefined || connection === undefined || point === undefined) return undefined;
      return mock.call
        .AddActiveConnection([device], connection, point, `active${++made}`, first % 5)
        .then((path) => active.set(path, [device, connection]));
    },
    deactivate({ first }) {
      const [path, [device] = []] = chosen(active, first) ?? [];
      if (path === undefined || device === undefined) return undefined;
      active.delete(path);
      return mock.call.RemoveActiveConnection(device, path);
    },
    disconnect({ first }) {
      const device = chosen([...wireless.keys(), ...wired], first);
      return device === undefined ? undefined : mock.call.SetDeviceDisconnected(device);
    },
    setState: ({ first }) => mock.call.SetGlobalConnectionState(10 * (first % 8)),
    setConnectivity: ({ first }) => mock.call.SetConnectivity(first % 5),
    enable: ({ first }) => mock.call.SetNetworkingEnabled(first % 2 === 0),
  };
}
