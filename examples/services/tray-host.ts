/** A tray in a terminal: it prints the icons that programs register, and their changes. Ctrl+C ends it. */
import { type Handle, InvalidArgumentError, implement, isBusName, isObjectPath, serve, sessionBus } from 'busbar';
import { Item, Watcher } from './interfaces/tray.js';

const bus = await sessionBus();
/** What follows an icon until its program leaves the bus, by the name of the program and the path of the icon. */
const icons = new Map<string, readonly Handle[]>();

function add(name: string, path: string): void {
  const icon = `${name}${path}`;
  if (icons.has(icon)) return;
  const item = bus.proxy(Item, name, path);
  const print = async () => {
    const { Title, Status, IconName, ToolTip } = await item.getAll();
    console.log(icon, { Title, Status, IconName, ToolTip: ToolTip?.[3] });
  };
  const told = () => void print().catch(({ message }) => console.log(icon, message));
  icons.set(icon, [
    bus.signals(Item, { sender: name, path }, { NewTitle: told, NewIcon: told, NewToolTip: told, NewStatus: told }),
    // A name that has no owner vanishes at once.
    bus.watchName(name, { appeared: told, vanished: () => remove(icon) }),
  ]);
  watcher.emitPropertiesChanged(['RegisteredStatusNotifierItems']);
  watcher.emit.StatusNotifierItemRegistered(icon);
}

function remove(icon: string): void {
  for (const handle of icons.get(icon) ?? []) handle.end();
  icons.delete(icon);
  watcher.emitPropertiesChanged(['RegisteredStatusNotifierItems']);
  watcher.emit.StatusNotifierItemUnregistered(icon);
  console.log(icon, 'is gone');
}

const watcher = implement(Watcher, {
  RegisterStatusNotifierItem(service, { sender = '' }) {
    // Programs pass a name that they own, or else the path of the icon.
    if (isObjectPath(service)) add(sender, service);
    else if (isBusName(service)) add(service, '/StatusNotifierItem');
    else throw new InvalidArgumentError(`${service} is neither a bus name nor an object path`);
  },
  // This program is the only host.
  RegisterStatusNotifierHost() {},
  RegisteredStatusNotifierItems: { get: () => [...icons.keys()] },
  ...{ IsStatusNotifierHostRegistered: true, ProtocolVersion: 0 },
});

await serve(bus, { name: 'org.kde.StatusNotifierWatcher', objects: { '/StatusNotifierWatcher': watcher } });
console.log('ready');
