// A connection is lost while the other side is slow: accepted bytes have arrived, or their number is reported.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, type Problem } from '../../src/index.js';
import { folder } from '../helpers/peers.js';
import { Program } from '../helpers/program.js';
import { pythonWith } from '../helpers/python.js';
import { testUnless } from '../helpers/skip.js';
import { wireMessage } from '../helpers/wire.js';

const test = suite('unwritten');
const python = pythonWith('socket');

/**
 * A peer that authenticates and then reads nothing until it gets a signal. Then it reads everything that the kernel has,
 * hangs up, and writes to a file how many bytes that were.
 */
const peer = `
import os, signal, socket, sys
path, result = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(1)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print('listening', flush=True)
client = listener.accept()[0]
lines = client.makefile('rb', buffering=0)
answers = {b'AUTH EXTERNAL': b'DATA', b'NEGOTIATE_UNIX_FD': b'AGREE_UNIX_FD'}
while (line := lines.readline().strip(b'\\0\\r\\n')) != b'BEGIN':
    client.sendall(answers.get(line, b'OK 0123456789abcdef0123456789abcdef') + b'\\r\\n')
# Otherwise closing the socket would wait for it.
lines.close()
signal.sigwait([signal.SIGUSR1])
client.setblocking(False)
taken = 0
try:
    while data := client.recv(1 << 20):
        taken += len(data)
except BlockingIOError:
    pass
client.close()
with open(result + '.new', 'w') as file:
    file.write(str(taken))
os.rename(result + '.new', result)
`;

testUnless(
  python === undefined ? 'python3 not installed' : undefined,
  test,
  'every byte that was accepted has arrived or is reported when the connection is lost',
  async () => {
    const [socket, result] = [join(folder, 'unread'), join(folder, 'taken')];
    await using program = Program.start(python as string, ['-c', peer, socket, result]);
    await program.line('listening');
    const bus = await connect({ address: `unix:path=${socket}`, peer: true });
    const problems: Problem[] = [];
    const hear = (problem: unknown) => void problems.push(problem as Problem);
    subscribe('busbar:problem', hear);
    const signal = { path: '/unwritten', interface: 'org.example.Unwritten', member: 'Sent', signature: 'ay' };
    const { length } = wireMessage({ type: 4, serial: 1, ...signal, body: Buffer.alloc(4 + 1_000_000) });
    const emits = 20;
    for (let i = 0; i < emits; i++) bus.emit({ ...signal, body: [new Uint8Array(1_000_000)] });
    const flushed = bus.flush().then(
      () => 'everything was written',
      (reason: unknown) => reason,
    );
    assert.ok(bus.stats().queuedBytes > 0, 'more than the kernel takes');
    process.kill(program.pid, 'SIGUSR1');
    // Not awaited: nothing more must be written while the peer reads the rest.
    while (!existsSync(result));
    const taken = Number(readFileSync(result, 'utf8'));
    assert.is(await flushed, await bus.disconnected);
    unsubscribe('busbar:problem', hear);
    const [problem] = problems as [Problem];
    assert.equal([problems.length, problem.kind, problem.connection], [1, 'send', bus.stats().connection]);
    const unwritten = Number(/^up to (\d+) /.exec(problem.message)?.[1]);
    const lost = emits * length - taken;
    assert.ok(lost > 0);
    // sd-bus reports whole messages only.
    assert.ok(unwritten >= lost && unwritten - lost < length, `${unwritten} reported, ${lost} lost`);
  },
);

test.run();
