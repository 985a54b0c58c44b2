// The handlers of a lane in random steps: calls arrive, are permitted or refused at once or later, end, fail, and their
// callers leave. The model is a list of calls in the order in which they arrived, and rules that hold after each step.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LimitsExceededError } from '../../src/base/error-classes.js';
import { Lane } from '../../src/service/calls/lane.js';
import { LateAnswer } from '../../src/service/calls/late-answer.js';
import { replayable } from '../helpers/replay.js';

const test = suite('a lane, by a model');
const RUNS = 1000;
const LIMIT = 3;
const CALLERS = ['a', 'b', 'c'] as const;

type Permission = 'yes' | 'no' | 'later';
/** Whether the handler returns a promise, and whether it keeps the processor for so long that the lane makes a pause. */
type Handling = { readonly isSlow: boolean; readonly isBusy: boolean };
type Step =
  | ({ readonly do: 'call'; readonly caller: number; readonly permission: Permission } & Handling)
  | { readonly do: 'permit' | 'refuse' | 'end' | 'fail'; readonly which: number }
  | { readonly do: 'leave'; readonly caller: number }
  | { readonly do: 'round' };

const caller = fc.nat(CALLERS.length - 1);
const which = fc.nat(4);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('call' as const),
        caller,
        permission: fc.constantFrom<Permission>('yes', 'yes', 'no', 'later'),
        isSlow: fc.boolean(),
        isBusy: fc.nat(4).map((number) => number === 0),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom('permit' as const, 'refuse' as const, 'end' as const, 'end' as const, 'fail' as const),
        which,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), caller }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('round' as const) }) },
  ),
  { minLength: 5, maxLength: 60, size: 'max' },
);

/** The clock of the lanes: how long a handler takes does not depend on the machine. */
let now = 0;
const { now: realNow } = performance;
test.before(() => {
  performance.now = () => now;
});
test.after(() => {
  performance.now = realNow;
});

/** A call, and what has happened to it. */
interface Call {
  readonly number: number;
  readonly caller: string;
  readonly permission: Permission;
  state: 'waiting' | 'checked' | 'running' | 'done' | 'refused' | 'left' | 'over limit';
  isPermitted: boolean;
  outcome: string | undefined;
  settleCheck?: { readonly permit: () => void; readonly refuse: () => void };
  settleHandler?: { readonly end: () => void; readonly fail: () => void };
}

class World {
  readonly lane = new Lane(() => {
    this.isIdle = true;
  });
  readonly calls: Call[] = [];
  readonly started: Call[] = [];
  isIdle = true;
  #signals = CALLERS.map(() => new AbortController());

  take(step: Step): void | Promise<unknown> {
    switch (step.do) {
      case 'call':
        return this.#call(step.caller, step.permission, step);
      case 'permit':
      case 'refuse':
        return this.#checked[step.which]?.settleCheck?.[step.do]();
      case 'end':
      case 'fail':
        return this.#running[step.which]?.settleHandler?.[step.do]();
      case 'leave':
        return this.#leave(step.caller);
      case 'round':
        return this.#round();
    }
  }

  /** Resolves when the lane has done what it can do by itself, which it interrupts with pauses of one round each. */
  async #round(): Promise<void> {
    for (let quiet = 0, before = this.started.length; quiet < 2; before = this.started.length) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.started.length === before ? quiet + 1 : 0;
    }
  }

  get #checked(): Call[] {
    return this.calls.filter(({ state }) => state === 'checked');
  }

  get #running(): Call[] {
    return this.calls.filter(({ state }) => state === 'running');
  }

  get waiting(): Call[] {
    return this.calls.filter(({ state }) => state === 'waiting' || state === 'checked');
  }

  #call(index: number, permission: Permission, handling: Handling): void {
    const name = CALLERS[index] as string;
    const { signal } = this.#signals[index] as AbortController;
    const call: Call = {
      number: this.calls.length,
      caller: name,
      permission,
      state: 'waiting',
      isPermitted: false,
      outcome: undefined,
    };
    const isFull = this.waiting.filter((other) => other.caller === name).length >= LIMIT;
    this.calls.push(call);
    this.isIdle = false;
    const settle = (how: string) => (value: unknown) => {
      assert.is(call.outcome, undefined, `call ${call.number} is answered twice`);
      call.outcome = `${how} ${value instanceof Error ? value.message : value}`;
      if (call.state === 'running') call.state = 'done';
    };
    try {
      const result = this.lane.enter({
        caller: name,
        limit: LIMIT,
        what: 'Method',
        signal,
        keep: () => {},
        permit: () => this.#permit(call),
        run: () => this.#run(call, handling),
      });
      if (result instanceof LateAnswer) result.settle(settle('sent'), settle('failed'));
      else settle('sent')(result);
    } catch (error) {
      if (error instanceof LimitsExceededError) {
        call.state = 'over limit';
        assert.ok(isFull, 'the limit is exceeded');
      }
      settle('failed')(error);
    }
    assert.is(call.state === 'over limit', isFull);
  }

  #permit(call: Call): Promise<void> | undefined {
    assert.is(call.state, 'waiting');
    const earlier = this.waiting.filter(({ caller, number }) => caller === call.caller && number < call.number);
    assert.ok(
      earlier.every(({ isPermitted }) => isPermitted),
      'calls of one caller are checked in order',
    );
    if (call.permission === 'yes') {
      call.isPermitted = true;
      return undefined;
    }
    if (call.permission === 'no') {
      call.state = 'refused';
      throw new Error('refused');
    }
    call.state = 'checked';
    return new Promise((resolve, reject) => {
      call.settleCheck = {
        permit: () => {
          call.state = 'waiting';
          call.isPermitted = true;
          resolve();
        },
        refuse: () => {
          call.state = 'refused';
          reject(new Error('refused'));
        },
      };
    });
  }

  #run(call: Call, { isSlow, isBusy }: Handling): unknown {
    assert.equal(this.#running, [], 'one handler runs at a time');
    assert.ok(call.isPermitted, 'a handler of a permitted call');
    assert.is(call.state, 'waiting');
    const earlier = this.waiting.filter(({ caller, number }) => caller === call.caller && number < call.number);
    assert.equal(earlier, [], 'calls of one caller are handled in order');
    assert.ok(
      this.started.every(({ outcome }) => outcome !== undefined),
      'a call is answered before the next one is handled',
    );
    this.started.push(call);
    call.state = 'running';
    if (isBusy) now += 10;
    if (!isSlow) return call.number;
    return new Promise((resolve, reject) => {
      const settled = (then: () => void) => () => {
        // Until the answer is sent.
        delete call.settleHandler;
        then();
      };
      call.settleHandler = {
        end: settled(() => resolve(call.number)),
        fail: settled(() => reject(new Error('broken'))),
      };
    });
  }

  #leave(index: number): void {
    const before = this.waiting.filter(({ caller }) => caller === CALLERS[index]);
    for (const call of before) call.state = 'left';
    this.#signals[index]?.abort(new Error('the caller left'));
    // A later caller has another unique name.
    this.#signals[index] = new AbortController();
    for (const { outcome } of before) assert.is(outcome, 'failed the caller left');
  }

  /** What holds when all promises have settled. */
  check(): void {
    const { waiting } = this;
    assert.is(this.lane.size, waiting.length, 'the size is the number of calls that wait');
    if (this.#running.length > 0) return;
    const heads = CALLERS.flatMap((name) => waiting.find((call) => call.caller === name) ?? []);
    assert.equal(
      heads.filter(({ state }) => state !== 'checked'),
      [],
      'no call waits for nothing',
    );
    assert.is(this.isIdle, waiting.length === 0, 'the lane knows that it is idle');
  }

  async end(): Promise<void> {
    await this.#round();
    for (let rounds = 0; rounds < 500 && this.waiting.length + this.#running.length > 0; rounds++) {
      this.#checked[0]?.settleCheck?.permit();
      this.#running[0]?.settleHandler?.end();
      await this.#round();
    }
    this.check();
    for (const call of this.calls) assert.ok(call.outcome !== undefined, `call ${call.number} has no answer`);
    for (const { outcome, number } of this.started)
      assert.ok(outcome === `sent ${number}` || outcome === 'failed broken');
    for (const { state, outcome } of this.calls) if (state === 'refused') assert.is(outcome, 'failed refused');
    assert.is(this.isIdle, true);
  }
}

test('at most one handler runs, in the order of each caller, and every call is answered once', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (program) => {
      const world = new World();
      for (const step of program) {
        await world.take(step);
        if (step.do === 'round') world.check();
      }
      await world.end();
    }),
    replayable(RUNS),
  );
});

test('without checks, calls are handled in the order in which they arrived', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (program) => {
      const world = new World();
      for (const step of program) await world.take(step.do === 'call' ? { ...step, permission: 'yes' } : step);
      await world.end();
      const numbers = world.started.map(({ number }) => number);
      assert.equal(
        numbers,
        [...numbers].sort((a, b) => a - b),
      );
    }),
    replayable(RUNS / 5),
  );
});

test('a call whose caller has left already is refused, and the outcome of its check is nothing to report', async () => {
  const lane = new Lane();
  const left = new Error('left');
  let ran = false;
  const rejections: unknown[] = [];
  const note = (reason: unknown) => void rejections.push(reason);
  process.on('unhandledRejection', note);
  const job = {
    caller: 'a',
    limit: LIMIT,
    what: 'test',
    signal: AbortSignal.abort(left),
    keep() {},
    permit: () => Promise.reject(new Error('refused')),
    run() {
      ran = true;
    },
  };
  try {
    assert.throws(
      () => lane.enter(job),
      (error: unknown) => error === left,
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    process.off('unhandledRejection', note);
  }
  assert.equal(rejections, []);
  assert.is(ran, false);
  assert.is(lane.size, 0);
});

test.run();
