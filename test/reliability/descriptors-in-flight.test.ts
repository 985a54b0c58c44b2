// The kernel limits the descriptors of a user that are on their way through sockets (ETOOMANYREFS). A message beyond the
// limit is refused and reported, whether it is written at once or waits behind others, and nothing else is affected.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fewDescriptors } from '../helpers/few-descriptors.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { Program } from '../helpers/program.js';

const test = suite('descriptors in flight');

/** A separate user: root has no limit, and other users have some on their way already, as another run of this test has. */
const UID = 50_000 + (process.pid % 10_000);

const script = `
  import { once } from 'node:events';
  import { subscribe } from 'node:diagnostics_channel';
  import { openSync } from 'node:fs';
  import { connect as connectSocket } from 'node:net';
  import { tmpdir } from 'node:os';
  import { listen } from ${JSON.stringify(libraryEntry)};

  ${fewDescriptors}
  const fd = openSync('/dev/null');
  const problems = [];
  subscribe('busbar:problem', ({ connection, message }) => problems.push([connection, message]));
  const told = ({ connection }) => problems.filter(([id]) => id === connection).map(([, message]) => message);

  // Clients that read nothing once they have authenticated.
  const peers = [];
  if (process.getuid() === 0) process.setuid(${UID});
  const server = await listen({ address: 'unix:tmpdir=' + tmpdir(), onConnection: (bus) => peers.push(bus) });
  const stopped = async () => {
    const client = connectSocket(/path=([^,]+)/.exec(server.address)[1]);
    client.write('\\0AUTH EXTERNAL\\r\\nDATA\\r\\nNEGOTIATE_UNIX_FD\\r\\nBEGIN\\r\\n');
    let answers = '';
    while (!answers.includes('AGREE_UNIX_FD')) answers += (await once(client, 'data'))[0];
    client.pause();
    while (peers.length === 0) await new Promise(setImmediate);
    return { client, bus: peers.pop() };
  };
  const signal = { path: '/', interface: 'org.example.InFlight', member: 'Any' };
  const turn = () => new Promise(setImmediate);

  const first = await stopped();
  // Before it stops reading, it fills its own buffer.
  first.bus.emit({ ...signal, signature: 'ay', body: [Buffer.alloc(100_000)] });
  while (first.client.readableLength < first.client.readableHighWaterMark) await turn();
  for (let count = 0; count < 130; count++) {
    first.bus.emit({ ...signal, signature: 'h', body: [fd] });
    await turn();
  }
  const refused = told(first.bus.stats()).length;

  const second = await stopped();
  while (second.bus.stats().queuedBytes === 0) {
    second.bus.emit({ ...signal, signature: 'ay', body: [Buffer.alloc(100_000)] });
    await turn();
  }
  second.bus.emit({ ...signal, signature: 'h', body: [fd] });
  second.bus.emit({ ...signal, member: 'Last' });
  second.client.resume();
  let end = '';
  for await (const bytes of second.client) {
    end = (end + bytes.toString('latin1')).slice(-1000);
    if (end.includes('Last')) break;
  }
  const states = [first.bus, second.bus].map(({ state }) => state);
  console.log(JSON.stringify({ refused, told: told(second.bus.stats()), states, arrived: end.includes('Last') }));
  await server.close();
  process.exit();
`;

test('a message beyond the limit is refused, at once or when its turn comes, and the connection stays open', async () => {
  const { stdout, stderr } = await Program.start(process.execPath, moduleArguments(script)).finished;
  const { refused, told, states, arrived } = JSON.parse(stdout || '{}');
  assert.ok(refused >= 20 && refused <= 60, `${refused} of 130 were refused: ${stderr}`);
  assert.is(told.length, 1, stdout);
  assert.match(told[0], /^message \d+ was not sent/);
  assert.equal([states, arrived], [['open', 'open'], true]);
});

test.run();
