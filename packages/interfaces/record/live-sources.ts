/** Recordings of objects that programs export on a private bus. */

import { Stage } from './live.js';
import { output } from './packages.js';

const PYTHON = '/usr/bin/python3';
/** The user `nobody`: VLC does not run as root. */
const NOBODY = 65534;

/** A program with one name and one object. Programs with a display have Xvfb. */
export function recordService(command: string, args: readonly string[], name: string, path: string): Promise<string[]> {
  return Stage.use(async (stage) => {
    const display = stage.start('Xvfb', ['-displayfd', '1', '-screen', '0', '640x480x24', '-nolisten', 'tcp']);
    const number = await display.line(/^\d+$/);
    stage.start(command, args, { DISPLAY: `:${number}` });
    return [await stage.introspect(name, path)];
  });
}

export function recordPlayer(player: 'mopidy' | 'vlc'): Promise<string[]> {
  return Stage.use(async (stage) => {
    const settings = ['mpris/bus_type=session', 'audio/output=fakesink', 'mpd/enabled=false', 'http/enabled=false'];
    if (player === 'mopidy')
      stage.start(
        'mopidy',
        settings.flatMap((setting) => ['-o', setting]),
      );
    else stage.start('cvlc', ['-I', 'dummy', '--control', 'dbus'], {}, NOBODY);
    return [await stage.introspect(`org.mpris.MediaPlayer2.${player}`, '/org/mpris/MediaPlayer2')];
  });
}

/** An agent needs a terminal, which `script` makes. */
export function recordPolkit(): Promise<string[]> {
  return Stage.use(async (stage) => {
    stage.start('/usr/lib/polkit-1/polkitd', ['--no-debug']);
    const authority = await stage.introspect('org.freedesktop.PolicyKit1', '/org/freedesktop/PolicyKit1/Authority');
    const before = new Set(await stage.names());
    stage.start('script', ['--quiet', '--command', `pkttyagent --process ${process.pid}`, '/dev/null']);
    return await stage.until('pkttyagent to export its agent', async () => {
      const added = (await stage.names()).find((name) => !before.has(name));
      const path = '/org/freedesktop/PolicyKit1/AuthenticationAgent';
      const agent = added && (await stage.introspect(added, path).catch(() => undefined));
      return agent?.includes('AuthenticationAgent') ? [authority, agent] : undefined;
    });
  });
}

/** A collection, an item, a session and a prompt exist only after they were asked for. */
export function recordKeyring(): Promise<string[]> {
  return Stage.use(async (stage) => {
    const name = 'org.freedesktop.secrets';
    const keyring = stage.start('gnome-keyring-daemon', ['--foreground', '--unlock', '--components=secrets']);
    keyring.end('password');
    const root = '/org/freedesktop/secrets';
    const service = await stage.introspect(name, root);
    const call = (path: string, member: string, signature: string, body: readonly unknown[]) =>
      stage.call(name, path, 'org.freedesktop.Secret', member, signature, body);
    const [, session] = await call(root, 'Service.OpenSession', 'sv', ['plain', '']);
    const collection = `${root}/collection/login`;
    const properties = { 'org.freedesktop.Secret.Item.Label': 'recorded' };
    const secret = [session, new Uint8Array(), new Uint8Array([1]), 'text/plain'];
    const [item] = await call(collection, 'Collection.CreateItem', 'a{sv}(oayays)b', [properties, secret, true]);
    const label = { 'org.freedesktop.Secret.Collection.Label': 'recorded' };
    const [, prompt] = await call(root, 'Service.CreateCollection', 'a{sv}s', [label, '']);
    const paths = [collection, session, item, prompt].map(String);
    return [service, ...(await Promise.all(paths.map((path) => stage.introspect(name, path))))];
  });
}

export function recordDbusmenu(): Promise<string[]> {
  const program = `
import gi
gi.require_version("Dbusmenu", "0.4")
from gi.repository import Dbusmenu, GLib, Gio
Gio.bus_own_name_on_connection(Gio.bus_get_sync(Gio.BusType.SESSION), "org.example.Menu", 0, None, None)
server = Dbusmenu.Server.new("/menu")
server.set_root(Dbusmenu.Menuitem.new())
GLib.MainLoop().run()`;
  return Stage.use(async (stage) => {
    stage.start(PYTHON, ['-c', program]);
    return await stage.until('the menu', async () => {
      const xml = await stage.introspect('org.example.Menu', '/menu').catch(() => '');
      return xml.includes('dbusmenu') ? [xml] : undefined;
    });
  });
}

/** Interfaces of the library, which clients have in memory; the daemon exports them for drives of the machine. */
export function recordUDisks(): readonly string[] {
  const program = `
import gi
gi.require_version("UDisks", "2.0")
from gi.repository import GLib, UDisks
text = GLib.String.new("")
for name in sorted(dir(UDisks)):
    if name.endswith("interface_info"):
        getattr(UDisks, name)().generate_xml(0, text)
print("<node>" + text.str + "</node>")`;
  return [output(PYTHON, ['-c', program])];
}
