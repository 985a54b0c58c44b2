/**
 * Stand-ins for services of a desktop and a machine, on the bus of the environment: the members that the README and
 * pages of the guide use. Prints `ready` when all names are owned.
 */
import { openSync } from 'node:fs';
import { connect, defineInterface, FileDescriptor, implement } from 'busbar';

const bus = await connect();

/** Emits a signal after the reply to the current call: clients have to expect both orders. */
const later = (emit: () => void) => void setImmediate(emit);

const notifications = implement(
  defineInterface('org.freedesktop.Notifications', {
    methods: { Notify: { in: 'susssasa{sv}i', out: ['id:u'] } },
    signals: { NotificationClosed: { args: ['id:u', 'reason:u'] }, ActionInvoked: { args: ['id:u', 'action:s'] } },
  }),
  {
    Notify(_application, _replaces, _icon, _summary, _body, actions) {
      const id = 7;
      // Of another notification, which clients have to ignore.
      notifications.emit.ActionInvoked(3, 'default');
      later(() => {
        if (actions.length > 0) notifications.emit.ActionInvoked(id, actions.at(-2) ?? '');
        notifications.emit.NotificationClosed(id, 1);
      });
      return id;
    },
  },
);

const player = implement(
  defineInterface('org.mpris.MediaPlayer2.Player', {
    methods: { PlayPause: {} },
    properties: { PlaybackStatus: { type: 's', access: 'read' }, Metadata: { type: 'a{sv}', access: 'read' } },
  }),
  {
    PlayPause() {
      player.properties.PlaybackStatus = player.properties.PlaybackStatus === 'Playing' ? 'Paused' : 'Playing';
    },
    PlaybackStatus: 'Playing',
    Metadata: { 'xesam:artist': ['Nina Simone'], 'xesam:title': 'Sinnerman' },
  },
);

const battery = implement(
  defineInterface('org.freedesktop.UPower.Device', { properties: { Percentage: { type: 'd', access: 'read' } } }),
  { Percentage: 81 },
);

const network = implement(
  defineInterface('org.freedesktop.NetworkManager', {
    methods: { CheckConnectivity: { out: ['connectivity:u'] } },
    properties: { Connectivity: { type: 'u', access: 'read' } },
  }),
  {
    CheckConnectivity() {
      network.properties.Connectivity = 4;
      return 4;
    },
    Connectivity: 3,
  },
);

const systemd = implement(
  defineInterface('org.freedesktop.systemd1.Manager', {
    methods: { Subscribe: {}, StartUnit: { in: ['unit:s', 'mode:s'], out: ['job:o'] } },
    signals: { JobRemoved: { args: ['id:u', 'job:o', 'unit:s', 'result:s'] } },
  }),
  {
    Subscribe() {},
    StartUnit(unit) {
      const path = '/org/freedesktop/systemd1/job';
      later(() => systemd.emit.JobRemoved(1, `${path}/1`, 'other.service', 'failed'));
      later(() => systemd.emit.JobRemoved(2, `${path}/2`, unit, 'done'));
      return `${path}/2`;
    },
  },
);

const login = implement(
  defineInterface('org.freedesktop.login1.Manager', {
    methods: { Inhibit: { in: 'ssss', out: ['lock:h'] } },
    signals: { PrepareForSleep: { args: ['start:b'] } },
  }),
  {
    Inhibit() {
      later(() => login.emit.PrepareForSleep(true));
      return FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
    },
  },
);

const device = implement(
  defineInterface('org.bluez.Device1', {
    properties: { Alias: { type: 's', access: 'read' }, Connected: { type: 'b', access: 'read' } },
  }),
  { Alias: 'Headphones', Connected: true },
);

const adapter = implement(
  defineInterface('org.bluez.Adapter1', {
    methods: { SetDiscoveryFilter: { in: ['filter:a{sv}'] }, StartDiscovery: {} },
  }),
  {
    SetDiscoveryFilter() {},
    StartDiscovery() {
      const found = implement(
        defineInterface('org.bluez.Device1', {
          properties: { Alias: { type: 's', access: 'read' }, RSSI: { type: 'n', access: 'read' } },
        }),
        { Alias: 'Thermometer', RSSI: -61 },
      );
      later(() => bus.export('/org/bluez/hci0/dev_66_77_88_99_AA_BB', found));
    },
  },
);

/** Dialogs for several files are answered, and those for one file are cancelled. */
const chooser = implement(
  defineInterface('org.freedesktop.portal.FileChooser', {
    methods: { OpenFile: { in: ['parent:s', 'title:s', 'options:a{sv}'], out: ['handle:o'] } },
  }),
  {
    OpenFile(_parent, _title, { handle_token, multiple }, { sender = '' }) {
      const path = `/org/freedesktop/portal/desktop/request/${sender.slice(1).replaceAll('.', '_')}/${handle_token}`;
      const request = implement(
        defineInterface('org.freedesktop.portal.Request', { signals: { Response: { args: 'ua{sv}' } } }),
        {},
      );
      const exported = bus.export(path, request);
      later(() => {
        if (multiple === true) request.to(sender).emit.Response(0, { uris: ['file:///home/ada/cat.png'] });
        else request.to(sender).emit.Response(1, {});
        exported.end();
      });
      return path;
    },
  },
);

const editor = implement(
  defineInterface('org.freedesktop.Application', { methods: { Activate: { in: ['data:a{sv}'] } } }),
  { Activate() {} },
);

bus.export('/org/freedesktop/Notifications', notifications);
bus.export('/org/mpris/MediaPlayer2', player);
bus.export('/org/freedesktop/UPower/devices/DisplayDevice', battery);
bus.export('/org/freedesktop/NetworkManager', network);
bus.export('/org/freedesktop/systemd1', systemd);
bus.export('/org/freedesktop/login1', login);
bus.exportObjectManager('/');
bus.export('/org/bluez/hci0', adapter);
bus.export('/org/freedesktop/portal/desktop', chooser);
bus.export('/org/bluez/hci0/dev_00_11_22_33_44_55', device);
bus.export('/org/example/Editor', editor);
for (const name of [
  'org.freedesktop.Notifications',
  'org.mpris.MediaPlayer2.player',
  'org.freedesktop.UPower',
  'org.freedesktop.NetworkManager',
  'org.freedesktop.systemd1',
  'org.freedesktop.login1',
  'org.bluez',
  'org.freedesktop.portal.Desktop',
  'org.example.Editor',
]) {
  await bus.requestName(name);
}
console.log('ready');
