// currentCall: the call that the running code belongs to.
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { currentCall } from '../../src/current-call.js';
import { type CallContext, connect, defineInterface, implement, method, ServiceInterface } from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { moduleArguments } from '../helpers/own-runtime.js';
import { codePath } from '../helpers/paths.js';
import { collectProblems } from '../helpers/problems.js';
import { run } from '../helpers/program.js';
import { until } from '../helpers/until.js';

const test = suite('the current call');
const { client, service, daemon, destination, stop } = await startClientAndService();
test.after(stop);

const Asked = defineInterface('org.example.Asked', {
  methods: { Ask: { in: 'u', out: 'b' }, Nested: { out: 'b' }, Fail: {} },
  signals: { Said: {} },
});

test('it is the context of the handler, at once and after any wait, for each of many calls at the same time', async () => {
  assert.is(currentCall(), undefined);
  const object = implement(Asked, {
    async Ask(milliseconds, context) {
      const below = async () => {
        const found = [currentCall()];
        await delay(milliseconds);
        found.push(currentCall());
        await new Promise((resolve) => setImmediate(() => resolve(found.push(currentCall()))));
        return found.every((each) => each === context);
      };
      return currentCall() === context && (await below());
    },
    Nested: () => false,
    Fail() {},
  });
  using _asked = service.export('/asked', object);
  const proxy = client.proxy(Asked, destination, '/asked');
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => proxy.call.Ask(index % 7)));
  assert.equal(new Set(answers), new Set([true]));
  assert.is(currentCall(), undefined);
});

test('a handler that calls another object of its process has its own call again afterwards', async () => {
  const inner: (CallContext | undefined)[] = [];
  const object = implement(Asked, {
    Ask(_, context) {
      inner.push(currentCall());
      return currentCall() === context;
    },
    async Nested(context) {
      const answer = await service.proxy(Asked, destination, '/asked').call.Ask(0);
      return answer && currentCall() === context && inner[0] !== context;
    },
    Fail() {
      throw new Error('a failure');
    },
  });
  using _asked = service.export('/asked', object);
  const proxy = client.proxy(Asked, destination, '/asked');
  assert.is(await proxy.call.Nested(), true);
  using problems = collectProblems();
  await proxy.call.Fail().catch(() => {});
  assert.is(problems.all.length, 1);
  assert.is(currentCall(), undefined);
});

test('handlers that wait for their turn, or for a permission, have their own calls', async () => {
  const seen: boolean[] = [];
  const object = implement(
    Asked,
    {
      async Ask(milliseconds, context) {
        seen.push(currentCall() === context);
        await delay(milliseconds);
        return currentCall() === context;
      },
      Nested: (context) => currentCall() === context,
      Fail() {},
    },
    { members: { Ask: { concurrency: 'serial' }, Nested: { allow: { uid: process.getuid?.() ?? 0 } } } },
  );
  using _asked = service.export('/asked', object);
  const proxy = client.proxy(Asked, destination, '/asked');
  const answers = await Promise.all([3, 0, 2, 1].map((milliseconds) => proxy.call.Ask(milliseconds)));
  assert.equal([...answers, ...seen], new Array(8).fill(true));
  assert.is(await proxy.call.Nested(), true);
});

test('listeners and cleanups have none', async () => {
  const seen: unknown[] = [];
  const object = implement(Asked, {
    Ask(_, { caller }) {
      caller.track(() => seen.push(['cleanup', currentCall()]));
      object.emit.Said();
      return true;
    },
    Nested: () => false,
    Fail() {},
  });
  using _asked = service.export('/asked', object);
  const other = await connect({ address: daemon.address });
  const proxy = other.proxy(Asked, destination, '/asked');
  await service.proxy(Asked, destination, '/asked').on.Said(() => void seen.push(['listener', currentCall()])).ready;
  await proxy.call.Ask(0);
  await other.close();
  await until(() => seen.length === 2);
  assert.equal(seen, [
    ['listener', undefined],
    ['cleanup', undefined],
  ]);
});

test('a method of a class that takes no context has one', async () => {
  class Lamp extends ServiceInterface {
    constructor() {
      super('org.example.Lamp');
    }

    @method({ out: 's' })
    async Who(): Promise<string> {
      await delay(1);
      return currentCall()?.sender ?? '';
    }
  }
  using _lamp = service.export('/lamp', new Lamp());
  assert.is(await client.proxy(Lamp, destination, '/lamp').call.Who(), client.uniqueName);
});

test('functions that release what a caller has belong to no call, also if a handler causes them to run', async () => {
  const seen: [string, boolean][] = [];
  const note = (when: string) => () => void seen.push([when, currentCall() === undefined]);
  const calls: CallContext[] = [];
  const own = await connect({ address: daemon.address });
  const object = implement(Asked, {
    async Ask(_, context) {
      calls.push(context);
      await until(() => context.caller.left.aborted);
      context.caller.track(note('left before'));
      return true;
    },
    Nested(context) {
      context.caller.track(note('closed by the handler'));
      void own.close();
      return true;
    },
    Fail() {},
  });
  own.export('/asked', object);
  const caller = await connect({ address: daemon.address });
  const ask = caller.proxy(Asked, own.uniqueName, '/asked').call.Ask(0);
  await until(() => calls.length === 1);
  await Promise.all([caller.close({ drain: 0 }), ask.catch(() => {})]);
  await until(() => seen.length === 1);
  await client.proxy(Asked, own.uniqueName, '/asked').call.Nested();
  await until(() => seen.length === 2);
  assert.equal(seen, [
    ['left before', true],
    ['closed by the handler', true],
  ]);
});

test('a handler that began before the import has no current call', async () => {
  const text = `
    import { connect, defineInterface, implement } from ${JSON.stringify(`file://${codePath('src/index.ts')}`)};
    const Asked = defineInterface('org.example.Asked', { methods: { Ask: { out: 'b' } } });
    const bus = await connect({ address: ${JSON.stringify(daemon.address)} });
    bus.export('/', implement(Asked, { Ask: async () => {
      const { currentCall } = await import(${JSON.stringify(`file://${codePath('src/current-call.ts')}`)});
      return currentCall() !== undefined;
    } }));
    const proxy = bus.proxy(Asked, bus.uniqueName, '/');
    console.log(await proxy.call.Ask(), await proxy.call.Ask());
    await bus.close();
  `;
  const { stdout, stderr } = await run(process.execPath, [...moduleArguments(text)]);
  assert.is(stdout.trim(), 'false true', stderr);
});

test('a program that does not import it keeps no calls', async () => {
  const text = (imported: string) => `
    ${imported}
    import { connect, defineInterface, implement } from ${JSON.stringify(`file://${codePath('src/index.ts')}`)};
    const Asked = defineInterface('org.example.Asked', { methods: { Ask: { out: 'b' } } });
    const bus = await connect({ address: ${JSON.stringify(daemon.address)} });
    const kept = globalThis[Symbol.for('busbar.currentCall')];
    bus.export('/', implement(Asked, { Ask: () => kept.storage?.getStore() !== undefined }));
    console.log(await bus.proxy(Asked, bus.uniqueName, '/').call.Ask(), kept.storage !== undefined);
    await bus.close();
  `;
  const module = JSON.stringify(`file://${codePath('src/current-call.ts')}`);
  for (const [imported, printed] of [
    ['', 'false false'],
    [`import ${module};`, 'true true'],
  ] as const) {
    const { stdout, stderr, code } = await run(process.execPath, [...moduleArguments(text(imported))]);
    assert.is(code, 0, stderr);
    assert.is(stdout.trim(), printed);
  }
});

test('a call that waited for its turn or for a permission has its own call, in the handler and in the permission', async () => {
  const wrong: string[] = [];
  const note = (where: string, context: CallContext) => {
    if (currentCall() !== context) wrong.push(where);
  };
  const object = implement(
    Asked,
    {
      async Ask(milliseconds, context) {
        note('handler', context);
        await delay(milliseconds);
        note('handler, later', context);
        return true;
      },
      Nested: () => false,
      Fail(context) {
        note('synchronous handler', context);
      },
    },
    {
      concurrency: 'serial',
      allow: [
        async (context) => {
          note('permission', context);
          await delay(1);
          note('permission, later', context);
          return context.member !== 'Fail';
        },
        { uid: process.getuid?.() ?? 0 },
      ],
    },
  );
  using _asked = service.export('/waiting', object);
  const proxy = client.proxy(Asked, destination, '/waiting');
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 3 ? proxy.call.Ask(index % 2) : proxy.call.Fail())),
  );
  assert.equal(wrong, []);
});

test.run();
