// time limit: 180 s
// Senders that send as fast as they can: timers, other I/O and other connections have their turn between any two of theirs.
//
// Only the handler takes a set time, 50 µs. The test counts the messages that it got between two turns of something else:
// on a slow machine this number is lower, not higher.
import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement, listen, type MessageBus, type PeerServer } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { startSenders } from '../helpers/senders.js';
import { testUnless } from '../helpers/skip.js';

const NAME = 'org.example.Fair';
const PATH = '/org/example/fair';
const Fair = defineInterface(NAME, {
  methods: { Work: {}, Later: {}, Ask: { out: 's' } },
  signals: { Worked: {} },
});

/** Milliseconds that a message takes. */
const WORK = 0.05;
/** Messages that are handled in a run. */
const MESSAGES = 3000;
/** A turn has a millisecond, and a round of the loop ends with the turn that exceeds another one. */
const TURN = 1 / WORK;
/**
 * The number of messages that fit into four turns. One batch of the inbox is more. A byte there and back takes two rounds.
 */
const BETWEEN_ROUNDS = 4 * TURN;
/** Each of four busy connections may have its turns before the call is read, and before its reply is read. */
const BEFORE_ANSWER = 20 * TURN;

/** Deno serves no sockets while an immediate is always pending. */
const countsRounds = process.versions.deno === undefined;

/** The largest number of messages between two turns of one thing, and the number of its turns. */
class Gap {
  largest = 0;
  turns = 0;
  #before = 0;

  turn(messages: number): void {
    this.largest = Math.max(this.largest, messages - this.#before);
    this.#before = messages;
    this.turns++;
  }
}

/** Counts the messages of a run, and the turns of everything else meanwhile. */
class Run {
  readonly rounds = new Gap();
  readonly timers = new Gap();
  readonly io = new Gap();
  readonly answers = new Gap();
  readonly finished: Promise<void>;
  #messages = 0;
  #finish!: () => void;
  #server: Server | undefined;
  #socket: Socket | undefined;

  constructor() {
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** The work of a handler for one message. */
  work(): void {
    if (this.#messages === 0) this.#watch();
    this.#messages++;
    const end = performance.now() + WORK;
    while (performance.now() < end);
    if (this.#messages === MESSAGES) this.#finish();
  }

  /** Sends one call after the other until the run is over. */
  async ask(question: () => Promise<unknown>): Promise<void> {
    while (this.#isRunning) {
      const before = this.#messages;
      await question();
      // Messages that came while no call was pending do not count.
      this.answers.largest = Math.max(this.answers.largest, this.#messages - before);
      this.answers.turns++;
    }
  }

  /** A byte that is sent back and forth between two sockets of this process. */
  async openSockets(): Promise<void> {
    const path = join(tmpdir(), `busbar-fair-${process.pid}`);
    // Deno reports the end of the other side as an error.
    this.#server = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(path);
    this.#socket = connectSocket(path);
    await new Promise((resolve) => this.#socket?.once('connect', resolve));
    this.#socket.on('data', (byte) => {
      this.io.turn(this.#messages);
      if (this.#isRunning) this.#socket?.write(byte);
    });
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  get #isRunning(): boolean {
    return this.#messages < MESSAGES;
  }

  /** From the first message on. */
  #watch(): void {
    const round = () => {
      this.rounds.turn(this.#messages);
      if (this.#isRunning) setImmediate(round);
    };
    const timer = () => {
      this.timers.turn(this.#messages);
      if (this.#isRunning) setTimeout(timer, 1);
    };
    if (countsRounds) setImmediate(round);
    setTimeout(timer, 1);
    this.#socket?.write('x');
  }
}

/** A run, with a second peer's server and client in this process beside it. */
async function counted(run: Run, start: (server: PeerServer) => Promise<AsyncDisposable>): Promise<void> {
  await run.openSockets();
  const object = implement(Fair, {
    Work: () => run.work(),
    async Later() {
      await undefined;
      run.work();
    },
    Ask: () => 'answer',
  });
  const server = await listen({
    address: `unix:tmpdir=${tmpdir()}`,
    onConnection: (peer: MessageBus) => void peer.export(PATH, object),
  });
  const second = await connect({ address: server.address, peer: true });
  try {
    const proxy = second.proxy(Fair, undefined, PATH);
    await using _ = await start(server);
    const asked = run.ask(() => proxy.call.Ask());
    await run.finished;
    await asked;
  } finally {
    await second.close();
    await server.close();
    await run.close();
  }
  const limits = {
    ...(countsRounds ? { rounds: BETWEEN_ROUNDS } : {}),
    timers: BETWEEN_ROUNDS,
    io: 2 * BETWEEN_ROUNDS,
  };
  for (const [what, limit] of Object.entries(limits) as ['rounds' | 'timers' | 'io', number][]) {
    const { turns, largest } = run[what];
    assert.ok(turns > 10, `${what}: ${turns} turns`);
    assert.ok(largest <= limit, `${what}: ${largest} messages between two turns`);
  }
  assert.ok(run.answers.turns > 0, 'the second peer had no answer');
  assert.ok(run.answers.largest <= BEFORE_ANSWER, `${run.answers.largest} messages before an answer`);
}

const test = suite('fairness');
const call = { path: PATH, interface: NAME };

test('one peer that sends without pause', async () => {
  await counted(new Run(), async ({ address }) =>
    startSenders({ address, kind: 'flood', connections: 1, ...call, member: 'Work' }),
  );
});

test('four peers that pipeline calls', async () => {
  await counted(new Run(), async ({ address }) =>
    startSenders({ address, kind: 'pipeline', connections: 4, ...call, member: 'Work' }),
  );
});

test('a peer whose calls take their time in microtasks', async () => {
  const run = new Run();
  await counted(run, async ({ address }) =>
    startSenders({ address, kind: 'pipeline', connections: 1, ...call, member: 'Later' }),
  );
});

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  testUnless(PrivateBus.missing({ daemon }), test, `three senders of signals through ${daemon}`, async () => {
    await using bus = await PrivateBus.start({ daemon });
    const run = new Run();
    const listener = await connect({ address: bus.address });
    try {
      await listener.subscribe({ interface: NAME, member: 'Worked' }, () => run.work());
      await counted(run, async () =>
        startSenders({ address: bus.address, kind: 'signals', connections: 3, ...call, member: 'Worked' }),
      );
    } finally {
      await listener.close();
    }
  });
}

test.run();
