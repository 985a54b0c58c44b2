// GLib's cached proxies and object manager client read a service that sets properties, exports children and emits in
// handlers: after a reply, or in a signal, their state is never outdated.
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type Export } from '../../src/index.js';
import { kinds, type LampObject } from '../helpers/lamps.js';
import { projectRoot } from '../helpers/paths.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { testUnless } from '../helpers/skip.js';

const ROUNDS = 1000;
const python = pythonWith('gi');
const client = join(projectRoot, 'test/interop/peers/gio_cached.py');

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const test = suite(`cached proxies of GLib, on ${daemon}`);
  const missing = PrivateBus.missing({ daemon }) ?? (python === undefined ? 'python3-gi not installed' : undefined);

  for (const [kind, make] of Object.entries(kinds)) {
    testUnless(missing, test, `${kind}: no state is outdated in ${ROUNDS} rounds`, async () => {
      const bus = await PrivateBus.start({ daemon });
      const service = await connect({ address: bus.address });
      let child: Export | undefined;
      const lamp: LampObject = make((what) => {
        const level = Number(what);
        lamp.level = level;
        other.level = level;
        child?.end();
        const born = make();
        child = service.export(`/org/example/child${level}`, born.object);
        born.level = level;
        lamp.switched(level);
      });
      const other = make();
      service.exportObjectManager('/org/example');
      service.export('/org/example/lamp', lamp.object);
      service.export('/org/example/other', other.object);
      await using program = Program.start(python as string, [
        client,
        bus.address,
        service.uniqueName as string,
        `${ROUNDS}`,
      ]);
      const { replies, signals, stale, first } = await program.event('done');
      assert.equal({ replies, signals, stale, first }, { replies: ROUNDS, signals: ROUNDS, stale: 0, first: [] });
      await service.close();
      await bus.stop();
    });
  }

  test.run();
}
