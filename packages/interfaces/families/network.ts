/** Networks: NetworkManager, ModemManager, Avahi. */
import { arrayOf, dict } from 'busbar';
import type { Family } from './family.js';

const addresses = arrayOf(dict({ address: 's', prefix: 'u', '...': 'v' }));
const routes = arrayOf(dict({ dest: 's', prefix: 'u', 'next-hop?': 's', 'metric?': 'u', '...': 'v' }));
const ip = {
  ...{ 'method?': 's', 'address-data?': addresses, 'gateway?': 's', 'route-data?': routes, 'dns-search?': 'as' },
  ...{
    'route-metric?': 'x',
    'never-default?': 'b',
    'ignore-auto-dns?': 'b',
    'ignore-auto-routes?': 'b',
    'may-fail?': 'b',
  },
} as const;
const settings = dict(
  {
    'connection?': dict({
      ...{
        'id?': 's',
        'uuid?': 's',
        'type?': 's',
        'interface-name?': 's',
        'autoconnect?': 'b',
        'autoconnect-priority?': 'i',
      },
      ...{
        'permissions?': 'as',
        'timestamp?': 't',
        'read-only?': 'b',
        'zone?': 's',
        'master?': 's',
        'slave-type?': 's',
      },
      ...{ 'secondaries?': 'as', 'metered?': 'i' },
      '...': 'v',
    }),
    '802-3-ethernet?': dict({ 'mac-address?': 'ay', 'mtu?': 'u', 'auto-negotiate?': 'b', '...': 'v' }),
    '802-11-wireless?': dict({
      ...{
        'ssid?': 'ay',
        'mode?': 's',
        'band?': 's',
        'channel?': 'u',
        'bssid?': 'ay',
        'mac-address?': 'ay',
        'mtu?': 'u',
      },
      ...{ 'hidden?': 'b', 'powersave?': 'u', 'security?': 's' },
      '...': 'v',
    }),
    '802-11-wireless-security?': dict({
      ...{ 'key-mgmt?': 's', 'psk?': 's', 'auth-alg?': 's', 'psk-flags?': 'u' },
      ...{ 'proto?': 'as', 'pairwise?': 'as', 'group?': 'as', 'pmf?': 'i' },
      '...': 'v',
    }),
    'ipv4?': dict({ ...ip, 'dns?': 'au', 'dns-data?': 'as', '...': 'v' }),
    'ipv6?': dict({ ...ip, 'dns?': 'aay', 'dns-data?': 'as', 'addr-gen-mode?': 'i', 'ip6-privacy?': 'i', '...': 'v' }),
    '...': 'a{sv}',
  },
  'a{sa{sv}}',
);

export const networkmanager: Family = {
  title: 'NetworkManager (system bus)',
  prefix: 'org.freedesktop.NetworkManager.',
  names: {
    'org.freedesktop.NetworkManager': 'NetworkManager',
    'org.freedesktop.NetworkManager.Connection.Active': 'ActiveConnection',
  },
  constants: {
    NAME: ['org.freedesktop.NetworkManager', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/NetworkManager', 'The object of the daemon.'],
    SETTINGS: ['/org/freedesktop/NetworkManager/Settings', 'The object of the stored connections.'],
    AGENT_MANAGER: ['/org/freedesktop/NetworkManager/AgentManager', 'Where agents for secrets register.'],
    DNS_MANAGER: ['/org/freedesktop/NetworkManager/DnsManager', 'The object of name resolution.'],
    SECRET_AGENT: ['/org/freedesktop/NetworkManager/SecretAgent', 'The path of every agent for secrets.'],
    OBJECT_MANAGER: ['/org/freedesktop', 'The object manager of all objects, for `bus.objects`.'],
  },
  numbers: {
    State: {
      docs: 'Values of `NetworkManager.State`.',
      values: {
        ...{ Unknown: 0, Asleep: 10, Disconnected: 20, Disconnecting: 30, Connecting: 40 },
        ...{ ConnectedLocal: 50, ConnectedSite: 60, ConnectedGlobal: 70 },
      },
    },
    Connectivity: {
      docs: 'Values of `NetworkManager.Connectivity`.',
      values: { Unknown: 0, None: 1, Portal: 2, Limited: 3, Full: 4 },
    },
    DeviceState: {
      docs: 'Values of `Device.State`.',
      values: {
        ...{ Unknown: 0, Unmanaged: 10, Unavailable: 20, Disconnected: 30, Prepare: 40, Config: 50, NeedAuth: 60 },
        ...{ IpConfig: 70, IpCheck: 80, Secondaries: 90, Activated: 100, Deactivating: 110, Failed: 120 },
      },
    },
    DeviceKind: {
      docs: 'Some values of `Device.DeviceType`.',
      values: {
        ...{ Unknown: 0, Ethernet: 1, Wifi: 2, Bluetooth: 5, Modem: 8, Infiniband: 9, Bond: 10, Vlan: 11, Bridge: 13 },
        ...{ Generic: 14, Team: 15, Tun: 16, IpTunnel: 17, Macvlan: 18, Vxlan: 19, Veth: 20, Dummy: 22, Ppp: 23 },
        ...{ WireGuard: 29, WifiP2P: 30, Vrf: 31, Loopback: 32 },
      },
    },
    ActiveConnectionState: {
      docs: 'Values of `ActiveConnection.State`.',
      values: { Unknown: 0, Activating: 1, Activated: 2, Deactivating: 3, Deactivated: 4 },
    },
  },
  docs: {
    NetworkManager: 'The daemon.',
    'NetworkManager.ActivateConnection': 'Connects. A path of `/` lets the daemon choose.',
    'NetworkManager.State': 'A {@link State}.',
    'NetworkManager.Connectivity': 'A {@link Connectivity}.',
    'NetworkManager.PrimaryConnection': 'The connection with the default route; `/` if there is none.',
    Device: 'What every network device has.',
    'Device.State': 'A {@link DeviceState}.',
    'Device.DeviceType': 'A {@link DeviceKind}.',
    DeviceWireless: 'A Wi-Fi device.',
    'DeviceWireless.RequestScan': 'Looks for access points. `LastScan` changes when it is done.',
    'DeviceWireless.LastScan': 'Milliseconds of the clock CLOCK_BOOTTIME; -1 if there was none.',
    DeviceWired: 'An Ethernet device.',
    AccessPoint: 'An access point that a Wi-Fi device has found.',
    'AccessPoint.Ssid': 'The bytes of its name, mostly UTF-8.',
    'AccessPoint.Strength': 'Percent.',
    'AccessPoint.Frequency': 'MHz.',
    ActiveConnection: 'A connection in use.',
    'ActiveConnection.State': 'An {@link ActiveConnectionState}.',
    Settings: 'The stored connections.',
    SettingsConnection: 'A stored connection.',
    'SettingsConnection.GetSettings':
      "The settings without secrets. Read them with `variants: 'keep'` if you write them back.",
    'SettingsConnection.Update': 'Replaces all settings, secrets included.',
    IP4Config: 'Addresses, routes and name servers.',
    IP6Config: 'Addresses, routes and name servers.',
    SecretAgent: 'Exported by a program that asks the user for passwords of networks.',
    AgentManager: 'Where agents for secrets register.',
    DnsManager: 'Name resolution.',
    Checkpoint: 'A state to which the daemon returns, unless a program prevents it in time.',
    VPNPlugin: 'Exported by plugins for virtual private networks.',
  },
  types: {
    'NetworkManager.AddAndActivateConnection.connection': settings,
    'NetworkManager.AddAndActivateConnection2.connection': settings,
    'Settings.AddConnection.connection': settings,
    'Settings.AddConnectionUnsaved.connection': settings,
    'Settings.AddConnection2.settings': settings,
    'SettingsConnection.GetSettings.settings': settings,
    'SettingsConnection.Update.properties': settings,
    'SettingsConnection.UpdateUnsaved.properties': settings,
    'SettingsConnection.Update2.settings': settings,
    'IP4Config.AddressData': addresses,
    'IP4Config.RouteData': routes,
    'IP6Config.AddressData': addresses,
    'IP6Config.RouteData': routes,
    'DeviceWireless.RequestScan.options': dict({ 'ssids?': 'aay', '...': 'v' }),
  },
};

export const modemmanager: Family = {
  title: 'ModemManager, mobile broadband modems (system bus)',
  prefix: 'org.freedesktop.ModemManager1.',
  names: {
    'org.freedesktop.ModemManager1': 'ModemManager',
    'org.freedesktop.ModemManager1.Modem.Modem3gpp': 'Modem3gpp',
    'org.freedesktop.ModemManager1.Modem.Modem3gpp.ProfileManager': 'Modem3gppProfileManager',
    'org.freedesktop.ModemManager1.Modem.Modem3gpp.Ussd': 'Modem3gppUssd',
    'org.freedesktop.ModemManager1.Modem.ModemCdma': 'ModemCdma',
  },
  constants: {
    NAME: ['org.freedesktop.ModemManager1', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/ModemManager1', 'The object of the daemon, and the object manager of the modems.'],
  },
  docs: {
    ModemManager: 'The daemon.',
    Modem: 'What every modem has.',
    ModemSimple: 'Connects with few settings.',
    ModemMessaging: 'Text messages of a modem.',
    ModemVoice: 'Calls of a modem.',
    ModemLocation: 'The location of a modem.',
    ModemSignal: 'Signal quality in detail.',
    ModemTime: 'The time of the network.',
    ModemFirmware: 'The firmware of a modem.',
    Modem3gpp: 'A modem for GSM, UMTS, LTE or 5G.',
    Modem3gppUssd: 'USSD codes, such as the one for the balance.',
    Bearer: 'A connection for data.',
    Sim: 'A SIM card.',
    Sms: 'A text message.',
    Call: 'A call.',
  },
  types: {
    'ModemSimple.Connect.properties': dict({
      ...{
        'pin?': 's',
        'operator-id?': 's',
        'apn?': 's',
        'ip-type?': 'u',
        'allowed-auth?': 'u',
        'user?': 's',
        'password?': 's',
      },
      ...{ 'number?': 's', 'allow-roaming?': 'b', 'rm-protocol?': 'u', 'multiplex?': 'u', 'profile-id?': 'i' },
      '...': 'v',
    }),
    'ModemMessaging.Create.properties': dict({
      ...{ 'number?': 's', 'text?': 's', 'data?': 'ay', 'smsc?': 's', 'class?': 'i', 'delivery-report-request?': 'b' },
      '...': 'v',
    }),
  },
};

export const avahi: Family = {
  title: 'Avahi, services in the local network, DNS-SD (system bus)',
  prefix: 'org.freedesktop.Avahi.',
  constants: {
    NAME: ['org.freedesktop.Avahi', 'The well-known name of the daemon.'],
    PATH: ['/', 'The object of the server.'],
  },
  numbers: {
    Unspecified: { docs: 'Every network interface, or every protocol.', values: { Interface: -1, Protocol: -1 } },
    Protocol: {
      docs: 'Values of the arguments `protocol` and `aprotocol`.',
      values: { Unspecified: -1, IPv4: 0, IPv6: 1 },
    },
  },
  docs: {
    Server: 'The daemon.',
    Server2: 'Makes browsers and resolvers that begin only with their method `Start`, so that no signal is missed.',
    'Server2.ServiceBrowserPrepare': 'A browser for services of a type, such as `_http._tcp`.',
    EntryGroup: 'Services and addresses that a program announces. They end with the program.',
    ServiceBrowser: 'Finds services of a type.',
    ServiceResolver: 'Finds the host, port and texts of a service.',
    ServiceTypeBrowser: 'Finds types of services.',
    HostNameResolver: 'Finds the address of a host.',
    AddressResolver: 'Finds the host of an address.',
    RecordBrowser: 'Finds DNS records.',
    DomainBrowser: 'Finds domains.',
  },
};
