// time limit: 180 s
/** Clients of other libraries on a service of busbar: dbus-next and dbus-fast in Python, and GLib through Gio.DBusProxy. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { outputOf } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { testUnless } from '../helpers/skip.js';
import { emitted, initialStates, interfaceName, startService } from './quickstart-service.js';

const test = suite('clients of other libraries');
const description = 'examples/quickstart/org.example.dbustest.xml';

/** Runs a client in Python against a new service; resolves with the events that it reported. */
async function eventsOf(daemon: Daemon, module: string, args: readonly string[]): Promise<Record<string, unknown>[]> {
  const bus = await PrivateBus.start({ daemon });
  try {
    const service = await startService(bus);
    const output = await outputOf(pythonWith(module) as string, args, { env: bus.env });
    assert.is((await service.stop()).code, 0);
    return output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  } finally {
    await bus.stop();
  }
}

const unlessMissing = (daemon: Daemon, module: string) =>
  PrivateBus.missing({ daemon }) ??
  (pythonWith(module) === undefined ? `python module ${module} not installed` : undefined);

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  for (const library of ['dbus_next', 'dbus_fast']) {
    for (const xml of [[], ['--xml', description]]) {
      const how = xml.length === 0 ? 'from introspection' : 'from the XML file';
      testUnless(unlessMissing(daemon, library), test, `${library} uses everything, ${how}, on ${daemon}`, async () => {
        const states = { web: 'stopped' };
        assert.equal(await eventsOf(daemon, library, ['test/interop/peers/seed_client.py', library, ...xml]), [
          { event: 'property', value: initialStates },
          { event: 'signal', vms: emitted },
          { event: 'result', value: 'Success' },
          { event: 'result', value: 'Fail: no machine of this kind' },
          { event: 'changed', interface: interfaceName, changes: { TestProperty: states }, invalidated: [] },
          { event: 'property', value: states },
          { event: 'error', name: 'org.freedesktop.DBus.Error.UnknownMethod' },
          { event: 'error', name: 'org.freedesktop.DBus.Error.InvalidArgs' },
        ]);
      });
    }
  }

  testUnless(
    unlessMissing(daemon, 'gi'),
    test,
    `Gio.DBusProxy uses everything, and updates its cache, on ${daemon}`,
    async () => {
      const states = { web: 'stopped', größe: '∞' };
      const [owner, ...events] = await eventsOf(daemon, 'gi', ['test/interop/peers/gio_client.py']);
      assert.match(owner?.unique_name as string, /^:1\./);
      assert.equal(events, [
        { event: 'cached', value: initialStates },
        { event: 'result', value: 'Success' },
        { event: 'signal', member: 'TestSignal', vms: emitted },
        { event: 'result', value: 'Fail: no machine of this kind' },
        { event: 'changed', changes: { TestProperty: states }, invalidated: [] },
        { event: 'property', value: states },
        { event: 'cached', value: states },
        { event: 'error', name: 'org.freedesktop.DBus.Error.UnknownMethod' },
        { event: 'error', name: 'org.freedesktop.DBus.Error.InvalidArgs' },
      ]);
    },
  );
}

test.run();
