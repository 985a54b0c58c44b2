// Calls whose replies come late, twice, from the wrong sender, or for another's serial, while the name that was called
// changes hands: each settles with the first reply of one that may answer it. Against a model, on both daemons.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, DBusError, type MessageBus, MessageType } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('calls model');

/** A failure prints the seed and the steps; this repeats it. */
const seed = process.env.BUSBAR_SEED === undefined ? undefined : Number(process.env.BUSBAR_SEED);
const RUNS = 40;
const NAME = 'org.example.Called';

/** The first two own the name by turns; the third one only forges. */
const answerer = fc.nat(2);
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('call' as const), to: fc.constantFrom(0, 1, NAME, NAME, NAME) }),
    },
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('reply' as const),
        from: answerer,
        which: fc.nat(8),
        isError: fc.boolean(),
        /** To the serial beside that of the call. */
        isOff: fc.constantFrom(false, false, false, false, true),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(8) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('hand over' as const) }) },
  ),
  { minLength: 20, maxLength: 60, size: 'max' },
);
type Step = ReturnType<typeof steps.generate>['value'][number];
type Reply = Extract<Step, { do: 'reply' }>;

interface Call {
  readonly serial: number;
  readonly controller: AbortController;
  /** Who got it. */
  readonly receiver: number;
  /** Who may answer: those who owned the name from the call on, or who was called by unique name. */
  readonly mayAnswer: Set<number>;
  readonly isByName: boolean;
  readonly outcome: Promise<string>;
  /** What the model says that it settles with. */
  expected: string | undefined;
  /** Whether the bus has seen the reply that it waits for. */
  isAnswered: boolean;
}

class World {
  readonly #client: MessageBus;
  readonly #servers: readonly MessageBus[];
  readonly #daemon: Daemon;
  readonly #calls: Call[] = [];
  readonly #before: MessageBus['stats'] extends () => infer Stats ? Stats : never;
  #owner = 0;
  #answers = 0;
  #unexpected = 0;

  constructor(client: MessageBus, servers: readonly MessageBus[], daemon: Daemon) {
    this.#client = client;
    this.#servers = servers;
    this.#daemon = daemon;
    this.#before = client.stats();
  }

  async begin(): Promise<void> {
    await this.#server(0).requestName(NAME, { allowReplacement: true, replace: true });
    await this.#client.listNames();
  }

  async act(step: Step): Promise<void> {
    if (step.do === 'call') await this.#call(step.to);
    else if (step.do === 'reply') await this.#reply(step);
    else if (step.do === 'hand over') await this.#handOver();
    else this.#abort(step.which);
  }

  async end(): Promise<void> {
    for (const [index] of this.#calls.entries()) this.#abort(index);
    for (const [index, { outcome, expected }] of this.#calls.entries()) {
      const actual = await outcome;
      assert.is(actual, expected, `call ${index} settled with ${actual}, and should have with ${expected}`);
    }
    const { calls, pendingCalls, unexpectedReplies } = this.#client.stats();
    assert.is(pendingCalls, 0);
    assert.is(unexpectedReplies - this.#before.unexpectedReplies, this.#unexpected);
    const aborted = this.#calls.filter(({ expected }) => expected === 'aborted').length;
    assert.is(calls.abort - this.#before.calls.abort, aborted);
  }

  async #call(to: number | string): Promise<void> {
    const isByName = typeof to === 'string';
    const receiver = isByName ? this.#owner : to;
    const serial = this.#client.reserveSerial();
    const controller = new AbortController();
    const destination = isByName ? to : this.#server(receiver).uniqueName;
    const { signal } = controller;
    const head = { destination, path: '/', interface: NAME, member: 'Ask', serial, signal, timeout: 60_000 };
    const outcome = this.#client.call(head).then(
      ([value]) => `${value}`,
      (error: unknown) => (error instanceof DBusError ? `${error.body[0]}` : 'aborted'),
    );
    const mayAnswer = new Set([receiver]);
    this.#calls.push({
      serial,
      controller,
      receiver,
      mayAnswer,
      isByName,
      outcome,
      expected: undefined,
      isAnswered: false,
    });
    await this.#client.listNames();
    await this.#server(receiver).listNames();
  }

  async #reply({ from, which, isError, isOff }: Reply): Promise<void> {
    const call = this.#calls[which % (this.#calls.length || 1)];
    if (call === undefined) return;
    const server = this.#server(from);
    const text = `answer ${++this.#answers} of ${from}`;
    const replySerial = isOff ? 0x7fff_0000 + call.serial : call.serial;
    const reply = { destination: this.#client.uniqueName, replySerial, signature: 's', body: [text] };
    if (isError) server.send({ type: MessageType.Error, errorName: `${NAME}.Error`, ...reply });
    else server.send({ type: MessageType.MethodReturn, ...reply });
    if (this.#isDelivered(call, from, isOff)) {
      if (!isOff && call.expected === undefined && call.mayAnswer.has(from)) call.expected = text;
      else this.#unexpected++;
    }
    if (from === call.receiver && !isOff) call.isAnswered = true;
    await server.listNames();
    await this.#client.listNames();
  }

  /** dbus-broker forwards a reply to the call that it answers, once; the session policy of dbus-daemon forwards all. */
  #isDelivered(call: Call, from: number, isOff: boolean): boolean {
    if (this.#daemon === 'dbus-daemon') return true;
    return from === call.receiver && !isOff && !call.isAnswered;
  }

  async #handOver(): Promise<void> {
    this.#owner = 1 - this.#owner;
    await this.#server(this.#owner).requestName(NAME, { allowReplacement: true, replace: true });
    await this.#client.listNames();
    for (const { isByName, mayAnswer } of this.#calls) if (isByName) mayAnswer.add(this.#owner);
  }

  #abort(which: number): void {
    const call = this.#calls[which % (this.#calls.length || 1)];
    if (call === undefined) return;
    call.controller.abort(new Error('aborted'));
    call.expected ??= 'aborted';
  }

  #server(index: number): MessageBus {
    return this.#servers[index] as MessageBus;
  }
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `each call settles with the reply that it should: ${daemon}`,
    async () => {
      await using bus = await PrivateBus.start({ daemon });
      await using client = await connect({ address: bus.address });
      const servers = await Promise.all([0, 1, 2].map(() => connect({ address: bus.address })));
      // What is called is answered by the script alone.
      for (const server of servers) server.addMessageHandler(({ type }) => type === MessageType.MethodCall);
      await fc.assert(
        fc.asyncProperty(steps, async (script) => {
          const world = new World(client, servers, daemon);
          await world.begin();
          for (const step of script) await world.act(step);
          await world.end();
        }),
        { numRuns: RUNS, endOnFailure: true, includeErrorInReport: true, ...(seed === undefined ? {} : { seed }) },
      );
      await Promise.all(servers.map((server) => server.close()));
    },
  );
}

test.run();
