/** Where the interfaces of each family are recorded. */
import { join } from 'node:path';
import { interfacesInProgram } from './gdbus-tables.js';
import {
  recordDbusmenu,
  recordKeyring,
  recordPlayer,
  recordPolkit,
  recordService,
  recordUDisks,
} from './live-sources.js';
import { filesOf, output, unpacked } from './packages.js';

/** A place where introspection data is. */
export interface Source {
  /** The Debian package. */
  readonly package: string;
  /** What was read there, for RECORDED.md. */
  readonly read: string;
  /** Documents of introspection data. */
  readonly xml: () => readonly string[] | Promise<readonly string[]>;
  /** The interfaces to take; all by default. */
  readonly only?: RegExp;
}

/** XML that a package ships, by a pattern below its root. */
const shipped = (name: string, pattern = 'usr/share/dbus-1/interfaces/*.xml', only?: RegExp): Source => ({
  package: name,
  read: `\`${pattern}\`, which the package ships`,
  xml: () => filesOf(name, pattern),
  ...(only && { only }),
});

/** What a program of systemd prints about the objects that it exports. */
const systemd = (program: string, interfaces: RegExp): Source => ({
  package: 'systemd',
  read: `\`${program} --bus-introspect=INTERFACE\` for each interface`,
  xml() {
    const folder = join(unpacked('systemd'), 'lib/systemd');
    const run = (what: string) =>
      output(join(folder, program), [`--bus-introspect=${what}`], { LD_LIBRARY_PATH: folder });
    return run('list')
      .trim()
      .split('\n')
      .map((line) => run(line.split('\t')[1] as string));
  },
  only: interfaces,
});

/** The tables of a program of BlueZ. */
const tables = (name: string, program: string, prefix: string, only: RegExp, properties = 'r9'): Source => ({
  package: name,
  read: `the tables in \`${program}\` of which the program makes its introspection data (objects that need hardware)`,
  xml() {
    const registers = { methods: 'rcx', ...(properties === 'r9' && { signals: 'r8' }), properties };
    return [interfacesInProgram(join(unpacked(name), program), prefix, registers)];
  },
  only,
});

const live = (name: string, read: string, xml: Source['xml'], only?: RegExp): Source => ({
  package: name,
  read,
  xml,
  ...(only && { only }),
});

/** The sources of each family, by its import path. The first source that has an interface is the one that counts. */
export const sources: Readonly<Record<string, readonly Source[]>> = {
  accounts: [shipped('accountsservice')],
  avahi: [shipped('avahi-daemon')],
  bluez: [
    // What clients implement, in the client of BlueZ; the same names in the daemon are what it sees of others.
    tables(
      'bluez',
      'usr/bin/bluetoothctl',
      'org.bluez.',
      /\.(Agent1|LEAdvertisement1|AdvertisementMonitor1|GattProfile1|MediaEndpoint1)$/,
      'r8',
    ),
    tables('bluez', 'usr/libexec/bluetooth/bluetoothd', 'org.bluez.', /^(?!org\.bluez\.(MediaEndpoint1|SimAccess))/),
    tables('bluez-obexd', 'usr/libexec/bluetooth/obexd', 'org.bluez.', /Profile1$/),
  ],
  colord: [shipped('colord', 'usr/share/dbus-1/interfaces/org.freedesktop.ColorManager*.xml')],
  dbusmenu: [live('libdbusmenu-glib4', 'the object of a `Dbusmenu.Server` on a private bus', recordDbusmenu)],
  hostname1: [systemd('systemd-hostnamed', /hostname1$/)],
  login1: [systemd('systemd-logind', /\.login1\./)],
  modemmanager: [shipped('modemmanager-dev')],
  mpris: [
    live('mopidy-mpris', 'the object of Mopidy on a private bus', () => recordPlayer('mopidy')),
    live('vlc-plugin-base', 'the object of `cvlc` on a private bus', () => recordPlayer('vlc'), /TrackList$/),
  ],
  networkmanager: [shipped('network-manager-dev', undefined, /^(?!.*(WiMax|OlpcMesh|NetworkManager\.PPP$))/)],
  notifications: [
    live(
      'dunst',
      'the object of `dunst` on a private bus, with Xvfb',
      () => recordService('dunst', [], 'org.freedesktop.Notifications', '/org/freedesktop/Notifications'),
      /^org\.freedesktop\.Notifications$/,
    ),
  ],
  obex: [tables('bluez-obexd', 'usr/libexec/bluetooth/obexd', 'org.bluez.obex.', /./)],
  packagekit: [shipped('packagekit')],
  polkit: [live('polkitd', 'the objects of polkitd and `pkttyagent` on a private bus', recordPolkit)],
  portals: [shipped('xdg-desktop-portal-dev', 'usr/share/dbus-1/interfaces/org.freedesktop.portal.*.xml')],
  'power-profiles': [
    live('power-profiles-daemon', 'the object of the daemon on a private bus', () =>
      recordService('/usr/libexec/power-profiles-daemon', [], 'net.hadess.PowerProfiles', '/net/hadess/PowerProfiles'),
    ),
  ],
  secrets: [
    live('gnome-keyring', 'the objects of gnome-keyring-daemon on a private bus', recordKeyring, /freedesktop\.Secret/),
  ],
  'status-notifier': [
    shipped('libkf5notifications-dev', 'usr/share/dbus-1/interfaces/kf5_org.kde.StatusNotifier*.xml'),
  ],
  systemd1: [systemd('systemd', /\.systemd1\./)],
  timedate1: [systemd('systemd-timedated', /timedate1$/)],
  udisks2: [live('gir1.2-udisks-2.0', 'the interfaces of libudisks2, `interface_info` of each', recordUDisks)],
  upower: [shipped('upower')],
};
