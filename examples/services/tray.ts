/** An icon in the tray of a desktop, with a menu. Ctrl+C ends it; so does an entry of the menu. */
import { implement, serve, sessionBus } from 'busbar';
import { Item, Watcher } from './interfaces/tray.js';
import { createMenu, Entry } from './tray/menu.js';

const bus = await sessionBus();
let muted = false;
let volume = 50;

function mute(): void {
  muted = !muted;
  menu.change(muting, { 'toggle-state': muted ? 1 : 0 });
  show();
}

function setVolume(value: number): void {
  volume = Math.min(100, Math.max(0, value));
  show();
}

function show(): void {
  item.emit.NewIcon();
  item.emit.NewToolTip();
  console.log(muted ? 'muted' : `${volume} %`);
}

const muting = new Entry({ label: '_Mute', 'toggle-type': 'checkmark', 'toggle-state': 0 }, mute);
const menu = createMenu([
  muting,
  new Entry({ label: 'Volume' }, undefined, [
    new Entry({ label: 'Loud' }, () => setVolume(90)),
    new Entry({ label: 'Low' }, () => setVolume(10)),
  ]),
  new Entry({ type: 'separator' }),
  new Entry({ label: '_Quit' }, () => void service.end()),
]);

const item = implement(Item, {
  Activate: mute,
  SecondaryActivate() {},
  ContextMenu() {},
  Scroll: (delta) => setVolume(volume + delta),
  IconName: { get: () => (muted ? 'audio-volume-muted' : 'audio-volume-high') },
  ToolTip: { get: () => ['', [], 'Volume', muted ? 'muted' : `${volume} %`] },
  ...{ Category: 'Hardware', Id: 'busbar-volume', Title: 'Volume', Status: 'Active', IconThemePath: '' },
  ...{ OverlayIconName: '', AttentionIconName: '', IconPixmap: [], OverlayIconPixmap: [], AttentionIconPixmap: [] },
  ...{ WindowId: 0, ItemIsMenu: false, Menu: '/MenuBar' },
});

const name = `org.kde.StatusNotifierItem-${process.pid}-1`;
const service = await serve(bus, { name, objects: { '/StatusNotifierItem': item, '/MenuBar': menu.object } });
console.log('ready');
// The desktop may start later, or again.
bus.watchName('org.kde.StatusNotifierWatcher', {
  async appeared(owner) {
    await bus.proxy(Watcher, owner, '/StatusNotifierWatcher').call.RegisterStatusNotifierItem(name);
    console.log('in the tray');
  },
  vanished: () => console.log('there is no tray'),
});
