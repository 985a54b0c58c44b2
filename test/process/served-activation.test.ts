// time limit: 400 s
// An activatable service of serve() under load, which ends as soon as it was idle for 2 ms, or by SIGTERM in the middle of its
// work: no call is lost. A client that calls for a minute, several clients, and clients of handlers that take long; on the
// other transport for less. `BUSBAR_TEST_SECONDS` sets another duration, `BUSBAR_SEED` replays the pauses. Only with
// dbus-daemon: the launcher of dbus-broker in these tests does not start services.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { transportKind } from '../../src/native/runtime.js';
import { callActivated, type Load } from '../helpers/activated-load.js';

const test = suite('served activation');
const { BUSBAR_TEST_SECONDS } = process.env;
const isDefault = transportKind() === 'socket';
const seconds = (usual: number) => Number(BUSBAR_TEST_SECONDS ?? (isDefault ? usual : usual / 4));

const loads: Readonly<Record<string, Load>> = {
  'one client': { seconds: seconds(60), clients: 1, idle: 2, work: 5 },
  'several clients': { seconds: seconds(10), clients: 4, idle: 2, work: 5, period: 200 },
  'clients of handlers that take long': { seconds: seconds(15), clients: 3, idle: 2, work: 900, period: 2000 },
  'several clients and SIGTERM': { seconds: seconds(20), clients: 4, idle: 1000, work: 100, kills: true },
};

for (const [what, load] of Object.entries(loads)) {
  test(`no call is lost: ${what}`, async () => {
    const { calls, services, ends } = await callActivated(load);
    console.log(`# ${what}: ${calls} calls, ${services} services, ${JSON.stringify(ends)}`);
    assert.ok(services > 1, `${services} services answered ${calls} calls`);
    const expected = load.kills === true ? ['signal 0', 'idle 0'] : ['idle 0'];
    assert.equal(
      Object.keys(ends).filter((end) => !expected.includes(end)),
      [],
    );
  });
}

test.run();
