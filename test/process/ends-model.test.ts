// time limit: 300 s
// Whether a process ends, with which exit code, and whether everything that it sent is delivered. Random programs against a
// model, on both daemons. A failure prints the seed; `BUSBAR_SEED` runs the same programs again.

import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../src/index.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { patience } from '../helpers/patience.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { seed } from '../helpers/replay.js';
import { skip } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const PROGRAMS = Number(process.env.BUSBAR_TEST_PROGRAMS ?? 12);

/** The operations and handles that a program has open. */
interface Model {
  /** Ends without an error when the bus is lost. */
  silent: Set<string>;
  /** Rejects or throws when the bus is lost. */
  audible: Set<string>;
  wish: 'ref' | 'unref' | undefined;
  asked: boolean;
  sent: number;
}

interface Step {
  readonly code: string;
  readonly apply: (model: Model) => void;
}

const pair = (kind: 'silent' | 'audible', name: string, open: string, close: string): [Step, Step] => [
  { code: `if (!open.${name}) open.${name} = ${open};`, apply: (model) => void model[kind].add(name) },
  { code: `if (open.${name}) { ${close} delete open.${name}; }`, apply: (model) => void model[kind].delete(name) },
];

const steps: readonly Step[] = [
  ...pair(
    'silent',
    'exported',
    `bus.export('/', implement(Example, { Never: () => new Promise(() => {}) }))`,
    'open.exported.end();',
  ),
  ...pair('silent', 'subscribed', `bus.subscribe({ member: 'Nothing' }, () => {})`, 'open.subscribed.end();'),
  ...pair('silent', 'listening', 'proxy.on.Said(() => {})', 'open.listening.end();'),
  ...pair('silent', 'watched', `bus.watchName('org.example.Nobody', {})`, 'open.watched[Symbol.dispose]();'),
  ...pair('silent', 'owned', `await bus.requestName('org.example.Ends' + process.pid)`, 'await open.owned.release();'),
  ...pair(
    'silent',
    'queued',
    `await bus.requestName('org.example.Taken', { queue: true })`,
    'await open.queued.release();',
  ),
  ...pair('audible', 'once', 'abortable((signal) => proxy.once.Said({ signal }))', 'open.once.abort();'),
  ...pair('audible', 'loop', 'abortable((signal) => proxy.watch.Said({ signal }).next())', 'open.loop.abort();'),
  ...pair(
    'audible',
    'called',
    `abortable((signal) => bus.call({ destination: 'org.example.Taken', path: '/', member: 'Never', timeout: Infinity, signal }))`,
    'open.called.abort();',
  ),
  { code: 'bus.ref();', apply: (model) => void Object.assign(model, { wish: 'ref' }) },
  { code: 'bus.unref();', apply: (model) => void Object.assign(model, { wish: 'unref' }) },
  { code: 'void bus.disconnected;', apply: (model) => void Object.assign(model, { asked: true }) },
  { code: 'say(300);', apply: (model) => void Object.assign(model, { sent: model.sent + 300 }) },
  { code: 'await bus.listNames();', apply: () => {} },
];

type End = 'nothing' | 'the bus dies' | 'close' | 'exit' | 'throw' | 'exit listener';
const ends: readonly End[] = ['nothing', 'the bus dies', 'close', 'exit', 'throw', 'exit listener'];

const endings: Readonly<Record<End, string>> = {
  nothing: '',
  'the bus dies': '',
  close: 'say(10); await bus.close();',
  exit: 'say(10); process.exit(3);',
  throw: `say(10); throw new Error('the end');`,
  'exit listener': `process.on('exit', () => say(10)); process.exit(4);`,
};

/** The outcome of a program: its exit code, or that it does not end by itself. */
function outcome(model: Model, end: End): { readonly code: number | 'stays'; readonly isWarned: boolean } {
  const isKept = model.wish === undefined ? model.silent.size + model.audible.size > 0 : model.wish === 'ref';
  const isSilent = model.wish === undefined ? model.silent.size > 0 : model.wish === 'ref';
  switch (end) {
    case 'nothing':
      return { code: isKept ? 'stays' : 0, isWarned: false };
    case 'the bus dies': {
      const isUnheard = isSilent && !model.asked;
      return { code: isUnheard ? 1 : 0, isWarned: isUnheard };
    }
    case 'close':
      return { code: 0, isWarned: false };
    case 'exit':
      return { code: 3, isWarned: false };
    case 'throw':
      return { code: 1, isWarned: false };
    case 'exit listener':
      return { code: 4, isWarned: false };
  }
}

const programs = fc.record({
  taken: fc.array(fc.nat(steps.length - 1), { maxLength: 9 }),
  end: fc.constantFrom(...ends),
});

const preamble = `
  import { connect, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
  const Example = defineInterface('org.example.Ends', { methods: { Never: {} }, signals: { Said: {} } });
  const bus = await connect();
  process.removeAllListeners('warning');
  process.on('warning', ({ code }) => { if (code === 'BUSBAR_CONNECTION_LOST') console.log('warned'); });
  const proxy = bus.proxy(Example, 'org.example.Taken', '/');
  const open = {};
  // An end within the steps is none that the model knows.
  const inSteps = setInterval(() => {}, 1000);
  let said = 0;
  const say = (count) => {
    for (let i = 0; i < count; i++) {
      bus.emit({ path: '/' + process.pid, interface: 'org.example.Count', member: 'Number', signature: 'u', body: [said++] });
    }
  };
  const abortable = (wait) => {
    const controller = new AbortController();
    wait(controller.signal).catch(() => {});
    return controller;
  };
`;

for (const kind of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const test = suite(`ends of processes at ${kind}`);
  const missing = PrivateBus.missing({ daemon: kind });
  const name = 'random programs end, or stay, as the model says, and their messages arrive';
  if (missing !== undefined) {
    skip(test, name, missing);
    test.run();
    continue;
  }

  test(name, async () => {
    await using daemon = await PrivateBus.start({ daemon: kind });
    await using witness = await connect({ address: daemon.address });
    witness.addMessageHandler(({ member }) => member === 'Never');
    await using _taken = await witness.requestName('org.example.Taken');
    const heard = new Map<string, number[]>();
    using _numbers = witness.subscribe({ interface: 'org.example.Count' }, ({ path, body }) => {
      const numbers = heard.get(path as string) ?? [];
      heard.set(path as string, numbers);
      numbers.push(body[0] as number);
    });
    for (const { taken, end } of fc.sample(programs, { seed, numRuns: PROGRAMS })) {
      const model: Model = { silent: new Set(), audible: new Set(), wish: undefined, asked: false, sent: 0 };
      const code: string[] = [];
      for (const step of taken.map((index) => steps[index] as Step)) {
        step.apply(model);
        code.push(step.code);
      }
      const text = `${code.join('\n')}\n${end === 'the bus dies' ? 'await bus.listNames();' : ''}\nclearInterval(inSteps);\nconsole.log('ready');\n${endings[end]}`;
      const expected = outcome(model, end);
      const sent = model.sent + (['close', 'exit', 'throw', 'exit listener'].includes(end) ? 10 : 0);
      const what = `seed ${seed}, ${end}:\n${text}\n`;
      const own = end === 'the bus dies' ? await PrivateBus.start({ daemon: kind }) : daemon;
      const other = own === daemon ? undefined : await connect({ address: own.address });
      void other?.disconnected;
      other?.addMessageHandler(({ member }) => member === 'Never');
      if (other !== undefined) await other.requestName('org.example.Taken');
      const program = Program.start(process.execPath, moduleArguments(preamble + text), { env: own.env });
      const path = `/${program.pid}`;
      try {
        await program.line('ready');
        if (own !== daemon) await own.kill();
        if (expected.code === 'stays') {
          await delay(500 * patience);
          assert.ok(program.running, `${what}it does not stay`);
        } else {
          const finished = await program.finished;
          assert.is(finished.code, expected.code, what + finished.stderr);
          assert.is(finished.stdout.includes('warned'), expected.isWarned, what);
        }
        if (own === daemon) {
          const isDelivered = (): boolean => (heard.get(path)?.length ?? 0) >= sent;
          await until(isDelivered).catch(() => {});
          assert.equal(
            heard.get(path) ?? [],
            Array.from({ length: sent }, (_, index) => index),
            what,
          );
        }
      } finally {
        program.kill();
        await other?.close();
        if (own !== daemon) await own.stop();
      }
    }
  });

  test.run();
}
