/** A portal whose responses are signals to one connection, and clients of other libraries that wait for theirs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { outputOf } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { testUnless } from '../helpers/skip.js';

const NAME = 'org.example.portal';
const Screenshot = defineInterface(`${NAME}.Screenshot`, { methods: { Take: { in: ['token:s'], out: ['handle:o'] } } });
const Request = defineInterface(`${NAME}.Request`, { signals: { Response: { args: ['code:u', 'results:a{sv}'] } } });

/**
 * Each client takes two pictures, and hears all responses that reach it: those of the first come before the reply, those
 * of the second after it.
 */
const clients: Readonly<Record<string, string>> = {
  gi: `
import json, sys
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
seen = []
heard = lambda connection, sender, path, interface, member, values: seen.append([path, *values.unpack()])
bus.signal_subscribe("${NAME}", "${NAME}.Request", "Response", None, None, 0, heard)
paths = []
for token in ("before", "after"):
    reply = bus.call_sync("${NAME}", "/portal", "${NAME}.Screenshot", "Take", GLib.Variant("(s)", (token,)), None, 0, 10000, None)
    paths.append(reply.unpack()[0])
    while len(seen) < len(paths): GLib.MainContext.default().iteration(True)
print(json.dumps([paths, seen]))
`,
  dbus: `
import json, dbus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
seen = []
heard = lambda code, results, path=None: seen.append([str(path), int(code), {str(k): str(v) for k, v in results.items()}])
bus.add_signal_receiver(heard, "Response", "${NAME}.Request", "${NAME}", path_keyword="path")
paths = []
for token in ("before", "after"):
    paths.append(str(dbus.Interface(bus.get_object("${NAME}", "/portal"), "${NAME}.Screenshot").Take(token)))
    while len(seen) < len(paths): GLib.MainContext.default().iteration(True)
print(json.dumps([paths, seen]))
`,
  ...Object.fromEntries(
    ['dbus_next', 'dbus_fast'].map((library) => [
      library,
      `
import asyncio, json
from ${library} import Message, MessageType, BusType
from ${library}.aio import MessageBus
async def main():
    bus = await MessageBus(bus_type=BusType.SESSION).connect()
    seen, paths = [], []
    def heard(message):
        if message.message_type == MessageType.SIGNAL and message.member == "Response":
            seen.append([message.path, message.body[0], {k: v.value for k, v in message.body[1].items()}])
    bus.add_message_handler(heard)
    for token in ("before", "after"):
        reply = await bus.call(Message(destination="${NAME}", path="/portal", interface="${NAME}.Screenshot",
                                       member="Take", signature="s", body=[token]))
        paths.append(reply.body[0])
        while len(seen) < len(paths): await asyncio.sleep(0.01)
    print(json.dumps([paths, seen]))
asyncio.run(main())
`,
    ]),
  ),
};

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const missing = PrivateBus.missing({ daemon });
  const test = suite(`signals to clients of other libraries, on ${daemon}`);

  for (const [library, program] of Object.entries(clients)) {
    const python = pythonWith(...(library === 'dbus' ? ['dbus', 'gi'] : [library]));
    const reason = missing ?? (python === undefined ? `python module ${library} not installed` : undefined);
    testUnless(reason, test, `two clients with ${library} get their own responses`, async () => {
      await using bus = await PrivateBus.start({ daemon });
      await using service = await connect({ address: bus.address });
      let number = 0;
      service.export(
        '/portal',
        implement(Screenshot, {
          Take(token, call) {
            const path = `/portal/request/${number++}`;
            const request = implement(Request, {});
            const exported = service.export(path, request);
            const respond = () => {
              request.to(call).emit.Response(0, { token });
              exported.end();
            };
            if (token === 'before') respond();
            else setImmediate(respond);
            return path;
          },
        }),
      );
      await service.requestName(NAME);
      const run = () => outputOf(python as string, ['-c', program], { env: bus.env });
      for (const output of await Promise.all([run(), run()])) {
        const [[first, second], seen] = JSON.parse(output);
        assert.equal(seen, [
          [first, 0, { token: 'before' }],
          [second, 0, { token: 'after' }],
        ]);
      }
    });
  }

  test.run();
}
