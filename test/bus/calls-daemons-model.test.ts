// time limit: 180 s
// Random calls among several connections through real daemons, against a model. Calls are answered by objects and by
// message handlers, twice, late, by other connections and to other connections; they are aborted, expire, and are lost
// because the service or the caller leaves; they want no reply, or go to names that change hands. After each step every
// promise is in the state that the model says. In the end no call is pending and no timer is left.
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallOptions,
  ConnectionClosedError,
  DBusError,
  ServiceLeftError,
  ServiceUnknownError,
  TimeoutError,
} from '../../src/index.js';
import { CallModel, type ModelledCall } from '../helpers/call-model.js';
import { CallServices, FAILURE, INTERFACE, PATH, type Side } from '../helpers/call-services.js';
import { CONNECTIONS, NAMES, programs, type Step, type StepOf } from '../helpers/call-steps.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { replayable } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { Timers } from '../helpers/timers.js';

const test = suite('calls at daemons');

const RUNS = 40;

/** A call as it was made. */
interface Made {
  readonly modelled: ModelledCall;
  readonly signal: AbortSignal | undefined;
  /** Never rejects. */
  readonly settled: Promise<string>;
  /** The outcome of the call. */
  observed: string | undefined;
  times: number;
  /** The connection answered the call and left; it may or may not have read the call before. */
  isLeftToItself: boolean;
}

class World {
  readonly #model: CallModel;
  readonly #services: CallServices;
  /** The clients that are connected. */
  readonly #sides: Side[] = [];
  /** Calls, by the numbers in their bodies. */
  readonly #made: Made[] = [];
  readonly #controllers = [0, 1, 2].map(() => new AbortController());
  /** Messages on their way, in the order in which they arrive. */
  #effects: (() => void)[] = [];
  /** The connections whose replies are on their way: replies of two connections may come in any order. */
  #answering: Side | undefined;
  /** Whether the receiver of a reply may make a further call. */
  #mayGoOn = true;

  constructor(address: string, daemon: Daemon) {
    this.#model = new CallModel(daemon);
    this.#services = new CallServices(
      address,
      (number, serial) => Object.assign((this.#made[number] as Made).modelled, { serial }),
      (reply, side) => {
        this.#answering = side;
        this.#effects.push(() => this.#model.reply(reply));
      },
    );
  }

  async begin(): Promise<void> {
    for (let index = 0; index < CONNECTIONS; index++) await this.#connect(index);
    for (const [index, name] of NAMES.entries()) await this.#own(name, this.#sides[index] as Side);
  }

  async act(step: Step): Promise<void> {
    switch (step.do) {
      case 'call':
        this.#call(step);
        return step.rests ? this.rest() : undefined;
      case 'expire':
        return this.#expire(step);
      case 'answer':
        await this.#answer(step);
        return step.rests ? this.rest() : undefined;
      case 'finish':
        return this.#finish(step);
      case 'abort':
        this.#abort(step);
        return step.rests ? this.rest() : undefined;
      case 'leave':
        return this.#leave(step);
      case 'hand over':
        return this.#handOver(step);
    }
  }

  /** Waits until everything that was sent has arrived, with its consequences, and compares the outcomes. */
  async rest(): Promise<void> {
    // A call, its answer, and a call that follows from the answer.
    for (let round = 0; round < 6; round++) await Promise.all(this.#sides.map(({ bus }) => bus.listNames()));
    this.#answering = undefined;
    for (const apply of this.#effects.splice(0)) apply();
    for (const [number, { modelled, observed, times, isLeftToItself }] of this.#made.entries()) {
      if (!isLeftToItself)
        assert.is(observed, modelled.outcome, `call ${number}: ${observed}, and not ${modelled.outcome}`);
      assert.is(times, observed === undefined ? 0 : 1, `call ${number}`);
    }
    for (const { id, bus } of this.#sides) {
      assert.is(bus.stats().pendingCalls, this.#model.waiting(id), `pending calls of ${id}`);
      assert.is(bus.stats().unexpectedReplies, this.#model.unexpected(id), `unexpected replies of ${id}`);
    }
  }

  async end(how: 'answered' | 'closed'): Promise<void> {
    this.#mayGoOn = false;
    await this.rest();
    if (how === 'answered') {
      // Two connections have no call in common.
      for (const side of this.#sides) this.#services.answerAll(side);
      await this.rest();
      for (const { bus } of this.#sides) {
        const { pendingCalls, subscriptions, matchRules, queuedBytes } = bus.stats();
        const base = { pendingCalls: 0, subscriptions: 0, matchRules: 0, queuedBytes: 0 };
        assert.equal({ pendingCalls, subscriptions, matchRules, queuedBytes }, base);
      }
      for (const { signal } of this.#controllers) assert.is(getEventListeners(signal, 'abort').length, 0);
    }
    await this.close();
    for (const [number, { modelled, settled, isLeftToItself }] of this.#made.entries()) {
      const outcome = await settled;
      if (isLeftToItself) assert.match(outcome, /^(reply|failure) to|^closed$/);
      // The connections that it calls leave as well.
      else if (modelled.outcome === undefined) assert.match(outcome, /^(closed|left)$/);
      else assert.is(outcome, modelled.outcome, `call ${number}`);
    }
    assert.ok(this.#made.every(({ times }) => times === 1));
    for (const side of this.#services.sides) this.#checkCounts(side);
  }

  async close(): Promise<void> {
    await Promise.all(this.#sides.map(({ bus }) => bus.close({ drain: 0 })));
  }

  #checkCounts({ id, bus }: Side): void {
    // A call that wants no reply is not counted.
    const own = this.#made.filter(({ modelled: { caller, wantsReply } }) => caller === id && wantsReply);
    const count = (outcome: RegExp) => own.filter(({ observed }) => outcome.test(observed as string)).length;
    const { timeout, abort, closed, unreadable, unsent } = bus.stats().calls;
    assert.equal(
      { timeout, abort, closed, unreadable, unsent },
      { timeout: count(/^expired$/), abort: count(/^aborted/), closed: count(/^closed$/), unreadable: 0, unsent: 0 },
    );
    assert.is(bus.stats().pendingCalls, 0);
  }

  async #connect(index: number): Promise<void> {
    const side = await this.#services.open();
    this.#sides[index] = side;
    this.#model.connect(side.id);
  }

  #call({ whom, member, timeout, group, noReply, autoStart, isReserved, goesOn, ...step }: StepOf<'call'>): void {
    const caller = this.#side(step.who);
    const signal = group === null ? undefined : this.#controllers[group]?.signal;
    const serial = isReserved ? caller.bus.reserveSerial() : undefined;
    const options = { timeout, signal, noReply, autoStart, serial };
    const number = this.#make(caller, this.#target(whom), member, options, goesOn);
    const { modelled } = this.#made[number] as Made;
    const { callee } = modelled;
    if (signal?.aborted) return;
    const reply = (outcome: string) => {
      if (callee === undefined) return;
      const sent = { from: callee, to: caller.id, outcome };
      this.#effects.push(() => this.#model.reply({ ...sent, serial: modelled.serial as number }));
    };
    if (callee === undefined) this.#effects.push(() => this.#model.refuse(modelled));
    else if (member === 'Echo' && !noReply) reply(`reply to ${number}`);
    else if (member === 'Fail' && !noReply) reply(`failure to ${number}`);
    else if (member === 'AskTwice') for (const again of ['', ' again']) reply(`reply to ${number}${again}`);
  }

  /** @param to a connection, or a well-known name */
  #make(
    caller: Side,
    to: Side | string,
    member: string,
    options: CallOptions & { serial?: number | undefined },
    goesOn = false,
  ): number {
    const number = this.#made.length;
    const { signal, noReply = false } = options;
    const isRefused = signal?.aborted === true;
    const modelled = this.#model.call(caller.id, typeof to === 'string' ? to : to.id, !noReply);
    if (isRefused) Object.assign(modelled, { outcome: (signal.reason as Error).message, isExpected: false });
    const destination = typeof to === 'string' ? to : to.bus.uniqueName;
    const call = { destination, path: PATH, interface: INTERFACE, member, signature: 'u', body: [number] };
    const settled = caller.bus.call({ ...call, ...options }).then(
      ([value]) => (noReply ? 'nothing' : `reply ${value}`),
      (error: unknown) => outcomeOf(error),
    );
    const made: Made = { modelled, signal, settled, observed: undefined, times: 0, isLeftToItself: false };
    this.#made.push(made);
    void settled.then((outcome) => {
      made.observed = outcome;
      made.times++;
      // A caller that gets an answer may make a further call before the messages behind the answer are handled.
      const { callee } = modelled;
      if (!goesOn || !this.#mayGoOn || !outcome.startsWith('reply')) return;
      const other = this.#sides.find(({ id }) => id === callee);
      if (other !== undefined) this.#make(caller, other, 'Ask', { timeout: Number.POSITIVE_INFINITY });
    });
    return number;
  }

  async #expire({ whom, timeouts, ...step }: StepOf<'expire'>): Promise<void> {
    await this.rest();
    const caller = this.#side(step.who);
    const target = this.#target(whom);
    // If the name has no owner, the bus answers.
    const to = typeof target === 'string' && !this.#model.owners.has(target) ? this.#side(step.who + 1) : target;
    for (const timeout of timeouts) {
      const { modelled } = this.#made[this.#make(caller, to, 'Ask', { timeout })] as Made;
      modelled.outcome = 'expired';
    }
    await Promise.all(this.#made.slice(-timeouts.length).map(({ settled }) => settled));
    await this.rest();
  }

  async #answer({ which, fails, from, to, isOther }: StepOf<'answer'>): Promise<void> {
    const all = this.#services.arrived;
    const arrived = all[which % (all.length || 1)];
    if (arrived === undefined) return;
    const { number, message } = arrived;
    const side = from === 'callee' ? arrived.side : this.#side(from);
    if (!this.#sides.includes(side)) return;
    const isPlain = from === 'callee' && to === 'caller' && !isOther;
    if (!isPlain || (this.#answering !== undefined && this.#answering !== side)) await this.rest();
    const destination = to === 'caller' ? message.sender : this.#side(to).bus.uniqueName;
    const serial = isOther ? message.serial + 5000 : message.serial;
    this.#services.answer(side, destination, serial, `to ${number}`, fails);
    if (!isPlain) await this.rest();
  }

  async #finish({ which, fails }: StepOf<'finish'>): Promise<void> {
    const unanswered = this.#sides.flatMap((side) => this.#services.unanswered(side));
    const open = unanswered.filter(({ finish }) => finish !== undefined);
    const arrived = open[which % (open.length || 1)];
    if (arrived === undefined) return;
    if (this.#answering !== arrived.side) await this.rest();
    this.#services.finish(arrived, fails);
    await this.rest();
  }

  #abort({ group, isRenewed }: StepOf<'abort'>): void {
    const controller = this.#controllers[group] as AbortController;
    const reason = new Error(`aborted ${this.#made.length}`);
    const { signal } = controller;
    if (!signal.aborted) {
      controller.abort(reason);
      for (const { modelled } of this.#made.filter((made) => made.signal === signal))
        this.#model.settle(modelled, reason.message);
    }
    if (isRenewed) this.#controllers[group] = new AbortController();
  }

  async #leave({ how, ...step }: StepOf<'leave'>): Promise<void> {
    await this.rest();
    this.#mayGoOn = false;
    const index = step.who;
    const side = this.#side(index);
    if (how !== 'at once') {
      for (const made of this.#made) {
        const { caller, callee } = made.modelled;
        if (caller === side.id && callee === side.id && made.observed === undefined) made.isLeftToItself = true;
      }
    }
    const closing = how === 'when answered' ? side.bus.close({ drain: Number.POSITIVE_INFINITY }) : undefined;
    if (how !== 'at once') this.#services.answerAll(side, how === 'when answered');
    await (closing ?? side.bus.close({ drain: 0 }));
    this.#effects.push(() => this.#model.leave(side.id));
    await this.#connect(index);
    await this.rest();
    this.#mayGoOn = true;
  }

  /** The owner releases a name, and another connection takes it. */
  async #handOver({ name, ...step }: StepOf<'hand over'>): Promise<void> {
    await this.rest();
    const next = this.#side(step.who);
    const owner = this.#sides.find(({ names }) => names.has(name));
    await owner?.names.get(name)?.release();
    owner?.names.delete(name);
    this.#model.release(name);
    if (next !== owner) await this.#own(name, next);
    await this.rest();
  }

  async #own(name: string, side: Side): Promise<void> {
    side.names.set(name, await side.bus.requestName(name));
    this.#model.own(name, side.id);
  }

  #side(index: number): Side {
    return this.#sides[index % CONNECTIONS] as Side;
  }

  #target(whom: number | string): Side | string {
    return typeof whom === 'number' ? this.#side(whom) : whom;
  }
}

/** The outcome of a call, in the words of the model. */
function outcomeOf(error: unknown): string {
  if (error instanceof ServiceLeftError) return 'left';
  if (error instanceof ServiceUnknownError) return 'unknown';
  if (error instanceof TimeoutError) return 'expired';
  if (error instanceof ConnectionClosedError) return 'closed';
  if (error instanceof DBusError && error.dbusName === FAILURE) return `failure ${error.body[0]}`;
  return error instanceof DBusError ? String(error) : (error as Error).message;
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `each call settles once, with its own reply: ${daemon}`,
    async () => {
      await using server = await PrivateBus.start({ daemon });
      await fc.assert(
        fc.asyncProperty(programs, async (program) => {
          using timers = new Timers();
          const world = new World(server.address, daemon);
          try {
            await world.begin();
            for (const step of program.steps) await world.act(step);
            await world.end(program.end);
            assert.is(await timers.left(), 0);
          } finally {
            await world.close();
          }
        }),
        replayable(RUNS),
      );
    },
  );
}

test.run();
