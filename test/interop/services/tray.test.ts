/** examples/services/tray.ts and tray-host.ts: the icon and its menu as gdbus reads and operates them, and each with the other. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from '../../helpers/paths.js';
import { pythonWith } from '../../helpers/python.js';
import { missingClients, ServiceExample } from '../../helpers/service-example.js';
import { testUnless } from '../../helpers/skip.js';

const test = suite('the tray of the examples');
const missing = missingClients('gdbus');
const ITEM = 'org.kde.StatusNotifierItem';
const MENU = 'com.canonical.dbusmenu';
const WATCHER = 'org.kde.StatusNotifierWatcher';

/** The icon, without a tray: what gdbus needs to call it. */
const withIcon = (
  use: (
    example: ServiceExample,
    call: (method: string, ...args: string[]) => Promise<string>,
    name: string,
  ) => Promise<void>,
) =>
  ServiceExample.with('tray', (example) => {
    const name = `${ITEM}-${example.program.pid}-1`;
    const paths = { [ITEM]: '/StatusNotifierItem', [MENU]: '/MenuBar' };
    const call = (method: string, ...args: string[]) => {
      const path = Object.entries(paths).find(([prefix]) => method.startsWith(prefix))?.[1] ?? '/StatusNotifierItem';
      return example.gdbus(name, path, method, ...args);
    };
    return use(example, call, name);
  });

testUnless(missing, test, 'gdbus reads the icon', () =>
  withIcon(async (_example, call) => {
    const all = await call('org.freedesktop.DBus.Properties.GetAll', ITEM);
    for (const part of [
      "'Id': <'busbar-volume'>",
      "'Menu': <objectpath '/MenuBar'>",
      "'ToolTip': <('', @a(iiay) [], 'Volume', '50 %')>",
    ])
      assert.ok(all.includes(part), `${part} is not in ${all}`);
    await call(`${ITEM}.Scroll`, '20', 'vertical');
    assert.is(
      await call('org.freedesktop.DBus.Properties.Get', ITEM, 'ToolTip'),
      "(<('', @a(iiay) [], 'Volume', '70 %')>,)",
    );
    await call(`${ITEM}.Activate`, '0', '0');
    assert.is(await call('org.freedesktop.DBus.Properties.Get', ITEM, 'IconName'), "(<'audio-volume-muted'>,)");
  }),
);

testUnless(missing, test, 'gdbus reads the menu: all of it, one level, one branch, some properties', () =>
  withIcon(async (_example, call) => {
    const layout = (parent: number, depth: number, names: string) =>
      call(`${MENU}.GetLayout`, '--', `${parent}`, `${depth}`, names);
    const labels = "['label']";
    const submenu = "[<(2, {'label': <'Loud'>}, @av [])>, <(3, {'label': <'Low'>}, @av [])>]";
    const menu = (below: string) =>
      `(uint32 1, (0, @a{sv} {}, [<(1, {'label': <'_Mute'>}, @av [])>, <(4, {'label': <'Volume'>}, ${below})>, ` +
      "<(5, @a{sv} {}, @av [])>, <(6, {'label': <'_Quit'>}, @av [])>]))";
    assert.is(await layout(0, -1, labels), menu(submenu));
    assert.is(await layout(0, 1, labels), menu('@av []'));
    const branch = `(4, {'label': <'Volume'>, 'children-display': <'submenu'>}, ${submenu})`;
    assert.is(await layout(4, -1, '[]'), `(uint32 1, ${branch})`);
    assert.is(await layout(0, 0, '[]'), '(uint32 1, (0, @a{sv} {}, @av []))');
    await assertRefused(layout(9, -1, '[]'), /the menu has no entry 9/);
    const mute = "(1, {'label': <'_Mute'>, 'toggle-type': <'checkmark'>, 'toggle-state': <0>})";
    const properties = await call(`${MENU}.GetGroupProperties`, '[1, 9, 5]', '[]');
    assert.is(properties, `([${mute}, (5, {'type': <'separator'>})],)`);
    assert.is(await call(`${MENU}.GetProperty`, '1', 'toggle-state'), '(<0>,)');
    await assertRefused(call(`${MENU}.GetProperty`, '1', 'colour'), /entry 1 has no property colour/);
    assert.is(await call(`${MENU}.AboutToShow`, '4'), '(false,)');
    assert.is(await call(`${MENU}.AboutToShowGroup`, '[0, 4, 9]'), '(@ai [], [9])');
  }),
);

async function assertRefused(output: Promise<string>, reason: RegExp): Promise<void> {
  const error = await output.then(
    (text) => assert.unreachable(`answered ${text}`),
    (error: Error) => error,
  );
  assert.match(`${error}`, reason);
}

testUnless(missing, test, 'clicks of gdbus run the program, whose signals gdbus sees', () =>
  withIcon(async (example, call, name) => {
    await using monitor = example.start('gdbus', 'monitor', '--session', '--dest', name);
    await monitor.line(/is owned by/);
    const click = (id: number, event = 'clicked') => call(`${MENU}.Event`, `${id}`, event, '<0>', '0');
    await click(1, 'hovered');
    await click(1);
    await monitor.line(`/MenuBar: ${MENU}.ItemsPropertiesUpdated ([(1, {'toggle-state': <1>})], @a(ias) [])`);
    await monitor.line(`/StatusNotifierItem: ${ITEM}.NewIcon ()`);
    await example.program.line('muted');
    await click(1);
    await example.program.line('50 %');
    await click(2);
    await example.program.line('90 %');
    await assertRefused(click(9), /the menu has no entry 9/);
    const events = "[(3, 'clicked', <0>, 0), (9, 'clicked', <0>, 0)]";
    assert.is(await call(`${MENU}.EventGroup`, events), '([9],)');
    await example.program.line('10 %');
    await click(6);
    assert.is((await example.program.finished).code, 0);
    await monitor.line(/does not have an owner/);
  }),
);

const python = pythonWith('gi', 'gi.repository.Dbusmenu');
const missingMenu = missingClients() ?? (python === undefined ? 'gir1.2-dbusmenu-glib-0.4 not installed' : undefined);

testUnless(missingMenu, test, 'the client of libdbusmenu shows the menu, its changes, and clicks', () =>
  withIcon(async (example, _call, name) => {
    const script = join(projectRoot, 'test/interop/peers/glib_menu.py');
    await using desktop = example.start(python as string, script, name, '/MenuBar');
    const { menu } = (await desktop.event('layout')) as { menu: { entries: unknown } };
    assert.equal(menu.entries, ['_Mute', { label: 'Volume', entries: ['Loud', 'Low'] }, 'separator', '_Quit']);
    const first = [await desktop.event('changed'), await desktop.event('changed')];
    assert.ok(
      first.some(({ property, value }) => property === 'toggle-state' && value === 0),
      JSON.stringify(first),
    );
    desktop.write('Loud\n');
    await example.program.line('90 %');
    desktop.write('_Mute\n');
    await example.program.line('muted');
    const { label, property, value } = await desktop.event('changed');
    assert.equal([label, property, value], ['_Mute', 'toggle-state', 1]);
    desktop.write('_Quit\n');
    assert.is((await example.program.finished).code, 0);
  }),
);

testUnless(
  missing,
  test,
  'the icon appears in the tray whichever starts first, and again after a restart of either',
  () =>
    ServiceExample.with('tray-host', async (host) => {
      const registered = () =>
        host.gdbus(
          WATCHER,
          '/StatusNotifierWatcher',
          'org.freedesktop.DBus.Properties.Get',
          WATCHER,
          'RegisteredStatusNotifierItems',
        );
      const icon = host.another('tray');
      await icon.line('in the tray');
      const name = `${ITEM}-${icon.pid}-1`;
      await host.program.line(`${name}/StatusNotifierItem {`);
      await host.program.line("ToolTip: '50 %'");
      assert.is(await registered(), `(<['${name}/StatusNotifierItem']>,)`);
      await host.gdbus(name, '/StatusNotifierItem', `${ITEM}.Scroll`, '--', '-30', 'vertical');
      await host.program.line("ToolTip: '20 %'");

      await host.restart();
      await icon.line('there is no tray');
      await icon.line('in the tray');
      await host.program.line("ToolTip: '20 %'");
      await using second = host.another('tray');
      await second.line('in the tray');
      await host.program.line("ToolTip: '50 %'");
      await icon.stop();
      await host.program.line(`${name}/StatusNotifierItem is gone`);
      assert.is(await registered(), `(<['${ITEM}-${second.pid}-1/StatusNotifierItem']>,)`);
    }),
);

testUnless(missing, test, 'the tray refuses a name that is none, and forgets one that nobody owns', () =>
  ServiceExample.with('tray-host', async (host) => {
    const register = (service: string) =>
      host.gdbus(WATCHER, '/StatusNotifierWatcher', `${WATCHER}.RegisterStatusNotifierItem`, service);
    await assertRefused(register("''"), /is neither a bus name nor an object path/);
    await assertRefused(register('no name'), /no name is neither a bus name nor an object path/);
    await register('org.example.Nobody');
    await host.program.line('org.example.Nobody/StatusNotifierItem is gone');
    // An object of the caller that is no icon, as programs of the library libayatana-appindicator pass it.
    await register('/org/example/NoIcon');
    await host.program.line(/^:.*\/org\/example\/NoIcon is gone/);
  }),
);

test.run();
