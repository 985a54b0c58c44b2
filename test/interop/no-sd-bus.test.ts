// time limit: 120 s
// Systems without any sd-bus library, such as Alpine and distroless containers: the socket transport can connect there to
// buses at plain sockets.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hidingSdbusLibraries, missingForHiding } from '../helpers/no-sd-bus.js';
import { libraryEntry, moduleArguments, programArguments } from '../helpers/own-runtime.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program, type ProgramOptions, run } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { halfArguments } from './quickstart-service.js';

const test = suite('no sd-bus library');
const lack = missingForHiding();

/** Otherwise the environment would select the transport. */
const settings = { BUSBAR_TRANSPORT: undefined };

/** A command that finds no library. */
function hidden(args: readonly string[], options: ProgramOptions): [string, readonly string[], ProgramOptions] {
  const [command, ...before] = hidingSdbusLibraries();
  return [
    command as string,
    [...before, process.execPath, ...args],
    { ...options, env: { ...settings, ...options.env } },
  ];
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const missing = lack ?? PrivateBus.missing({ daemon });

  testUnless(missing, test, `the two programs of the quickstart find each other on ${daemon}`, async () => {
    await using bus = await PrivateBus.start({ daemon });
    await using service = Program.start(...hidden(halfArguments('service'), { env: bus.env }));
    await service.line('ready');
    const client = await run(...hidden(halfArguments('client'), { env: bus.env }));
    assert.is(client.code, 0, client.stderr);
    assert.match(client.stdout, 'TestMethod says Success');
  });

  testUnless(missing, test, `descriptors pass in both directions on ${daemon}`, async () => {
    await using bus = await PrivateBus.start({ daemon });
    const args = programArguments('test/interop/pass-descriptors.ts');
    const { code, stdout, stderr } = await run(...hidden(args, { env: bus.env }));
    assert.is(code, 0, stderr);
    assert.match(stdout, /^library undefined$/m);
    assert.match(stdout, /^descriptors true$/m);
    assert.match(stdout, /^own process true$/m);
  });
}

testUnless(lack, test, 'the error of features that need the library says so', async () => {
  const script = `
    import { connect, listen } from ${JSON.stringify(libraryEntry)};
    for (const attempt of [
      connect({ address: 'unix:path=/nonexistent', transport: 'sd-bus' }),
      listen({ address: 'unix:tmpdir=/tmp', transport: 'sd-bus' }),
      connect({ address: 'unixexec:path=/bin/true' }),
      connect({ address: 'x-machine-unix:machine=example' }),
      connect({ address: 'unix:path=/nonexistent/%ff' }),
    ]) await attempt.catch((error) => console.log(error.name, error.message.replaceAll('\\n', ' ')));`;
  const { code, stdout, stderr } = await run(...hidden(moduleArguments(script), {}));
  assert.is(code, 0, stderr);
  const lines = stdout.trim().split('\n');
  assert.is(lines.length, 5, stdout);
  for (const line of lines.slice(0, 2))
    assert.match(line, /^ConnectError the transport 'sd-bus' needs an sd-bus library, and none was found /);
  for (const line of lines.slice(2))
    assert.match(
      line,
      /^ConnectError .*: such an address needs an sd-bus library, and none was found .*\. Install one/,
    );
});

test.run();
