// Rules that a bus refuses because a connection or user has reached its limit: nothing is left half subscribed.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, LimitsExceededError, type MessageBus, type Problem, type Subscription } from '../../src/index.js';
import { matchRuleLimit, PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('refused rules');
const NAME = 'org.example.Refused';

/** Adds rules until the bus refuses one. */
async function exhaust(bus: MessageBus): Promise<Subscription[]> {
  const taken: Subscription[] = [];
  for (;;) {
    const one = bus.subscribe({ interface: 'i.Full', member: `M${taken.length}` }, () => {});
    try {
      await one.ready;
      taken.push(one);
    } catch (error) {
      assert.instance(error, LimitsExceededError);
      one.end();
      return taken;
    }
  }
}

function noteProblems(bus: MessageBus) {
  const problems: string[] = [];
  const { connection } = bus.stats();
  const note = (problem: unknown) => {
    const { connection: whose, message } = problem as Problem;
    if (whose === connection) problems.push(message);
  };
  subscribe('busbar:problem', note);
  return { problems, [Symbol.dispose]: () => unsubscribe('busbar:problem', note) };
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `a later equal subscription revives an earlier one: ${daemon}`,
    async () => {
      await using server = await PrivateBus.start({ daemon, limits: matchRuleLimit(20, daemon) });
      await using client = await connect({ address: server.address });
      await using other = await connect({ address: server.address });
      const taken = await exhaust(client);
      assert.ok(taken.length > 2, `${taken.length} rules were taken`);
      using noted = noteProblems(client);
      const heard: string[] = [];
      const rule = { interface: NAME };
      const early = client.subscribe(rule, () => heard.push('early'));
      await until(() => noted.problems.length === 1);
      assert.match(noted.problems[0] as string, 'refused the match rule');
      // Each subscription is told.
      assert.instance(await rejection(early.ready), LimitsExceededError);
      const second = client.subscribe(rule, () => heard.push('second'));
      assert.instance(await rejection(second.ready), LimitsExceededError);
      assert.is(client.stats().matchRules, taken.length);
      taken.pop()?.end();
      const third = client.subscribe(rule, () => heard.push('third'));
      for (const each of [early, second, third]) await each.ready;
      other.emit({ path: '/', interface: NAME, member: 'Said' });
      await other.listNames();
      await client.listNames();
      assert.equal(heard, ['early', 'second', 'third']);
      for (const each of [early, second, third, ...taken]) each.end();
      const { matchRules, subscriptions } = client.stats();
      assert.equal([matchRules, subscriptions], [0, 0]);
      // All rules were removed from the bus.
      assert.is((await exhaust(client)).length, taken.length + 1);
    },
  );

  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `a watcher whose rule is refused is told so: ${daemon}`,
    async () => {
      await using server = await PrivateBus.start({ daemon, limits: matchRuleLimit(20, daemon) });
      await using client = await connect({ address: server.address });
      await using other = await connect({ address: server.address });
      const taken = await exhaust(client);
      using noted = noteProblems(client);
      const told: unknown[] = [];
      const watcher = (who: string) => ({
        appeared: () => told.push(`${who} appeared`),
        vanished: () => told.push(`${who} vanished`),
        refused: (reason: unknown) => told.push(`${who} refused`, reason instanceof LimitsExceededError),
      });
      using _first = client.watchName(NAME, watcher('first'));
      await until(() => told.length === 3);
      assert.equal(told.splice(0), ['first vanished', 'first refused', true]);
      assert.equal(noted.problems, []);
      // A watcher without `refused` is reported.
      client.watchName(NAME, {})[Symbol.dispose]();
      using _silent = client.watchName(`${NAME}2`, {});
      await until(() => noted.problems.length === 1);
      assert.match(noted.problems[0] as string, `the owner of ${NAME}2`);
      await client.listNames();
      told.length = 0;
      taken.pop()?.end();
      using _later = client.watchName(NAME, watcher('later'));
      await client.listNames();
      await other.requestName(NAME);
      await client.listNames();
      assert.equal(told, ['later vanished', 'first appeared', 'later appeared']);
    },
  );
}

test.run();
