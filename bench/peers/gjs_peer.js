// GJS: GDBus of GLib from JavaScript, with the proxies and the exported objects that its guide shows.
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

const NAME = 'org.example.Bench';
const PATH = '/org/example/bench';
const XML = `<node><interface name="org.example.Bench1">
  <method name="Echo"><arg type="s" direction="in"/><arg type="s" direction="out"/></method>
  <method name="Usage"><arg type="d" direction="out"/></method>
</interface></node>`;
const MANAGER_XML = `<node><interface name="org.freedesktop.DBus.ObjectManager">
  <method name="GetManagedObjects"><arg type="a{oa{sa{sv}}}" direction="out"/></method>
</interface></node>`;

const [address, workload, ...rest] = System.programArgs;
const parameters = new Map(rest.map((each) => each.split('=')));
const texts = Array.from({ length: 1000 }, (_, i) => `a text to echo, ${i}`);
const loop = new GLib.MainLoop(null, false);
const { AUTHENTICATION_CLIENT, MESSAGE_BUS_CONNECTION } = Gio.DBusConnectionFlags;
const bus = Gio.DBusConnection.new_for_address_sync(
  address,
  AUTHENTICATION_CLIENT | MESSAGE_BUS_CONNECTION,
  null,
  null,
);

/** The time that all threads of this process have run, in microseconds. */
function cpu() {
  const threads = Gio.File.new_for_path('/proc/self/task').enumerate_children('standard::name', 0, null);
  let nanoseconds = 0;
  for (let thread = threads.next_file(null); thread !== null; thread = threads.next_file(null)) {
    const [, bytes] = GLib.file_get_contents(`/proc/self/task/${thread.get_name()}/schedstat`);
    nanoseconds += Number(new TextDecoder().decode(bytes).split(' ')[0]);
  }
  return nanoseconds / 1000;
}

const proxyOf = (xml, path) => {
  const BenchProxy = Gio.DBusProxy.makeProxyWrapper(xml);
  return new BenchProxy(bus, NAME, path);
};

const workloads = {
  calls() {
    const bench = proxyOf(XML, PATH);
    const window = Number(parameters.get('window') ?? 1);
    return (operations, done) => {
      let unsent = operations;
      let unanswered = 0;
      const send = () => {
        unanswered++;
        bench.EchoRemote(texts[--unsent % texts.length], (_values, error) => {
          if (error !== null) throw error;
          unanswered--;
          if (unsent > 0) send();
          else if (unanswered === 0) done();
        });
      };
      while (unsent > 0 && unanswered < window) send();
    };
  },

  objects() {
    const manager = proxyOf(MANAGER_XML, '/');
    return (operations, done) => {
      for (let i = 0; i < operations; i++) {
        const [objects] = manager.GetManagedObjectsSync();
        if (Object.keys(objects).length === 0) throw new Error('there are no objects');
      }
      done();
    };
  },
};

function serve() {
  const bench = { Echo: (text) => text, Usage: cpu };
  const exported = Gio.DBusExportedObject.wrapJSObject(XML, bench);
  exported.export(bus, PATH);
  Gio.bus_own_name_on_connection(bus, parameters.get('name') ?? NAME, 0, () => print('ready'), null);
  loop.run();
  exported.unexport();
}

function answer(operate) {
  const input = new Gio.DataInputStream({ base_stream: new Gio.UnixInputStream({ fd: 0 }) });
  print('ready');
  for (;;) {
    const [line] = input.read_line_utf8(null);
    const [, number] = /^go (\d+)$/.exec(line ?? '') ?? [];
    if (number === undefined) return;
    const operations = Number(number);
    const startCpu = cpu();
    const startWall = GLib.get_monotonic_time();
    let isDone = false;
    operate(operations, () => {
      isDone = true;
      loop.quit();
    });
    if (!isDone) loop.run();
    print(JSON.stringify({ operations, cpu: cpu() - startCpu, wall: GLib.get_monotonic_time() - startWall }));
  }
}

if (workload === 'service') serve();
else answer(workloads[workload]());
