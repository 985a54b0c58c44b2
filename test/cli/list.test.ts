// `busbar list`, beside `busctl list` on the same bus.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../src/index.js';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { outputOf } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { busbar, printed, printedJson } from './command-line.js';

const test = suite('busbar list');
const missing = (...programs: string[]) => PrivateBus.missing() ?? missingPrograms(...programs);

interface Listed {
  readonly name: string;
  readonly owner: string | null;
  readonly pid: number | null;
  readonly process: string | null;
  readonly user: string | null;
  readonly unit: string | null;
  readonly activatable: boolean;
}

interface BusctlListed {
  readonly name: string;
  readonly pid: number | null;
  readonly process: string | null;
  readonly user: string | null;
  readonly connection: string | null;
}

testUnless(missing('busctl'), test, 'lists the same names as busctl, with the same owners and processes', async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  await bus.requestName('org.example.dbustest');
  await bus.requestName('org.example.dbustest.Second');
  const ours = (await printedJson(daemon, 'list')) as Listed[];
  const theirs = JSON.parse(
    await outputOf('busctl', ['--user', '--json=short', 'list'], { env: daemon.env }),
  ) as BusctlListed[];
  // Each lists its own connection, which the other does not see.
  const isStable = ({ name }: { readonly name: string }) => !name.startsWith(':') || name === bus.uniqueName;
  const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
  assert.equal(
    ours
      .filter(isStable)
      .map(({ name, owner, pid, process, user }) => ({ name, owner, pid, process, user }))
      .sort(byName),
    theirs
      .filter(isStable)
      // busctl writes `(activatable)` for an owner, and has no owner for the bus itself.
      .map(({ name, pid, process, user, connection }) => ({
        name,
        owner: connection === null && pid !== null ? name : connection,
        pid,
        process,
        user,
      }))
      .sort(byName),
  );
});

testUnless(missing(), test, 'prints names with owners first, then activatable ones, then connections', async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  await bus.requestName('org.example.dbustest');
  const lines = (await printed(daemon, 'list')).split('\n');
  assert.match(lines[0] as string, /^NAME +OWNER +PID +PROCESS +USER +UNIT$/);
  const own = lines.findIndex((line) => line.startsWith('org.example.dbustest '));
  assert.match(lines[own] as string, new RegExp(`^org.example.dbustest +${bus.uniqueName} +${process.pid} +\\S`));
  const connection = lines.findIndex((line) => line.startsWith(`${bus.uniqueName} `));
  assert.ok(own < connection);
});

testUnless(missing(), test, 'the options choose the kinds of names', async () => {
  await using daemon = await PrivateBus.start();
  await using bus = await connect({ address: daemon.address });
  await bus.requestName('org.example.dbustest');
  const names = async (...options: string[]) =>
    ((await printedJson(daemon, 'list', ...options)) as Listed[]).map(({ name }) => name);
  assert.equal(await names('--acquired'), ['org.example.dbustest', 'org.freedesktop.DBus']);
  assert.ok((await names('--unique')).every((name) => name.startsWith(':')));
  assert.ok((await names('--unique')).includes(bus.uniqueName as string));
});

testUnless(
  missing(),
  test,
  'a bus that is not there ends with the exit code 3, and a wrong option with 2',
  async () => {
    const none = await busbar(undefined, ['list', '--address', 'unix:path=/nonexistent/socket']);
    assert.is(none.code, 3);
    assert.is(none.stdout, '');
    assert.match(none.stderr, /^busbar: no connection/);
    const wrong = await busbar(undefined, ['list', '--jsn']);
    assert.is(wrong.code, 2);
    assert.is(wrong.stderr, "busbar: unknown option '--jsn'\n  did you mean --json?\n");
  },
);

test.run();
