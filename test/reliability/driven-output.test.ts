// Output that peers can cause in this process: its amount is limited, and none of it controls a terminal.
import { getEventListeners } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type DBusError, defineInterface, implement, listen } from '../../src/index.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { folder, PATH, peers } from '../helpers/peers.js';
import { Program } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('driven output');

const NAME = 'org.example.Driven';
const Driven = defineInterface(NAME, { methods: { Fail: { in: 's' }, Odd: { in: 's' }, Wait: {}, AskBack: {} } });
const HOSTILE = 'one\r\ntwo\x1b]0;title\x07\x9b2J\n    at planted (/x:1:1)';

const serving = `
  import { listen, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
  const I = defineInterface('${NAME}', { methods: { Fail: { in: 's' }, Odd: { in: 's' } } });
  const object = implement(I, {
    Fail(text) { throw new Error(text); },
    Odd(text) { throw text; },
  });
  const server = await listen({ address: 'unix:tmpdir=${folder}', onConnection: (bus) => bus.export('${PATH}', object) });
  console.log(server.address);
`;

/** Characters that have a meaning for a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is them that are looked for
const COMMANDS = /[\0-\x08\x0b-\x1f\x7f-\x9f]/;

for (const [what, env] of [
  ['warnings', {}],
  ['traces', { NODE_DEBUG: 'busbar*' }],
] as const) {
  test(`${what}: the text of a caller is on one line, without control sequences`, async () => {
    const program = Program.start(process.execPath, moduleArguments(serving), { env, timeLimit: 60_000 });
    const address = await program.line('unix:');
    await using client = await connect({ address, peer: true });
    for (const member of ['Fail', 'Odd']) {
      const call = { path: PATH, interface: NAME, member, signature: 's', body: [HOSTILE] };
      const error = (await rejection(client.call(call))) as DBusError;
      // The text was returned: what is printed here has no control sequences either, and the sent text is there.
      assert.not.match(error.message, COMMANDS);
      assert.not.match(error.message, '\n');
      assert.equal(error.body, [HOSTILE]);
    }
    await program.stop();
    const { stderr } = await program.finished;
    assert.match(stderr, 'one\\r\\ntwo\\u001b]0;title\\u0007\\u009b2J');
    assert.not.match(stderr, COMMANDS);
    assert.not.match(stderr, /^ +at planted/m);
  });
}

test('2000 failed calls print ten warnings, and the number of the others', async () => {
  let tell: () => void = () => {};
  const told = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const onLine = (line: string) => void (line.includes(' more warnings of this kind') && tell());
  const program = Program.start(process.execPath, moduleArguments(serving), { timeLimit: 60_000, onLine });
  const address = await program.line('unix:');
  await using client = await connect({ address, peer: true });
  const call = { path: PATH, interface: NAME, member: 'Fail', signature: 's', body: [HOSTILE] };
  await Promise.allSettled(Array.from({ length: 2000 }, () => client.call(call)));
  await told;
  await program.stop();
  const { stderr } = await program.finished;
  assert.is(stderr.match(/the handler of .* failed/g)?.length, 10);
  assert.match(stderr, '1990 more warnings of this kind within 10 seconds are not shown');
  assert.ok(stderr.split('\n').length < 200);
});

test('a caller that leaves causes no warning about listeners', async () => {
  const warnings: string[] = [];
  const hear = ({ message }: Error) => void warnings.push(message);
  process.on('warning', hear);
  let waiting = 0;
  let failed = 0;
  const fails = async (promise: Promise<unknown>) => {
    waiting++;
    await promise.catch((error: unknown) => {
      failed++;
      throw error;
    });
  };
  const server = await listen({
    address: `unix:tmpdir=${folder}`,
    onConnection: (bus) =>
      bus.export(
        PATH,
        implement(Driven, {
          Fail: (_text, context) =>
            fails(
              new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason))),
            ),
          Odd: (_text, context) =>
            fails(
              new Promise((_, reject) =>
                context.signal.addEventListener('abort', () =>
                  reject(Object.assign(new Error('aborted'), { name: 'AbortError' })),
                ),
              ),
            ),
          Wait: () => fails(bus.call({ path: '/', member: 'Never' })),
          AskBack: async () => fails(bus.call({ path: '/', member: 'Never' })),
        }),
      ),
  });
  const client = await connect({ address: server.address, peer: true });
  client.addMessageHandler(({ member }) => member === 'Never');
  const remote = client.proxy(Driven, PATH).call;
  const calls = [remote.Fail(''), remote.Odd(''), remote.Wait(), remote.AskBack()].map(rejection);
  while (waiting < 4) await new Promise((go) => setTimeout(go, 5));
  await client.close();
  await Promise.all(calls);
  while (failed < 4) await new Promise((go) => setTimeout(go, 5));
  await new Promise((go) => setTimeout(go, 20 * patience));
  process.off('warning', hear);
  await server.close();
  assert.equal(warnings, []);
});

test('an AbortSignal has one listener for any number of operations, and none when they are over', async () => {
  const warnings: string[] = [];
  const hear = ({ message }: Error) => void warnings.push(message);
  process.on('warning', hear);
  await using pair = await peers();
  pair.accepted.addMessageHandler(({ member }) => member === 'Never');
  const { signal } = new AbortController();
  const abort = new AbortController();
  const listeners = (of: AbortSignal) => getEventListeners(of, 'abort').length;
  const pings = Array.from({ length: 40 }, () =>
    pair.client.call({ path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping', signal }),
  );
  assert.is(listeners(signal), 1);
  await Promise.all(pings);
  assert.is(listeners(signal), 0);
  // On two connections, with every kind of operation.
  const proxies = [pair.client, pair.accepted].map((bus) => bus.proxy(Driven, PATH).with({ signal: abort.signal }));
  const waiting = Array.from({ length: 40 }, (_, i) =>
    rejection((proxies[0] as (typeof proxies)[0]).call.Wait().finally(() => i)),
  );
  const never = pair.client.call({ path: '/', member: 'Never', signal: abort.signal });
  assert.is(listeners(abort.signal), 1);
  abort.abort(new Error('as asked'));
  assert.is(((await rejection(never)) as Error).message, 'as asked');
  await Promise.all(waiting);
  assert.is(listeners(abort.signal), 0);
  await new Promise((go) => setImmediate(go));
  process.off('warning', hear);
  assert.equal(warnings, []);
});

test.run();
