// time limit: 120 s
// When a process ends whose bus reconnects: what kept it alive keeps it alive while its bus is away.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect } from '../../src/index.js';
import { libraryEntry, moduleArguments } from '../helpers/own-runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { Program } from '../helpers/program.js';
import { until } from '../helpers/until.js';

const test = suite('processes that reconnect');

const preamble = `
  import { connect, defineInterface, implement } from ${JSON.stringify(libraryEntry)};
  const Example = defineInterface('org.example.Back', { methods: { Id: { out: 'u' }, Never: {} } });
  const object = implement(Example, { Id: () => process.pid, Never: () => new Promise(() => {}) });
  const reconnect = { minDelay: 5, maxDelay: 50 };
  const bus = await connect({ reconnect });
`;

function start({ env }: PrivateBus, script: string): Program {
  return Program.start(process.execPath, moduleArguments(preamble + script), { env });
}

test('a service stays while its bus is away, serves again, and ends by itself when nothing is left to do', async () => {
  await using daemon = await PrivateBus.start();
  const service = start(
    daemon,
    `
    const handle = bus.export('/', object);
    const owned = await bus.requestName('org.example.Back');
    let gaps = 0;
    bus.watchConnection({
      lost: () => console.log('lost'),
      restored: async () => {
        console.log('restored', ++gaps);
        if (gaps < 3) return;
        await owned.release();
        handle.end();
      },
    });
    console.log('ready');
  `,
  );
  await service.line('ready');
  for (let gap = 1; gap <= 3; gap++) {
    await daemon.kill();
    await service.line('lost');
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok(service.running);
    await daemon.restart();
    await service.line(`restored ${gap}`);
    if (gap === 3) break;
    await using client = await connect({ address: daemon.address });
    const call = { destination: 'org.example.Back', path: '/', member: 'Id' };
    assert.equal(await client.call(call), [service.pid]);
  }
  const { code, stderr } = await service.finished;
  assert.is(code, 0);
  assert.not.match(stderr, /BUSBAR_CONNECTION_LOST/);
});

test('a process ends while its bus is away if nothing kept it alive', async () => {
  await using daemon = await PrivateBus.start();
  const scripts = {
    'unref()': `bus.export('/', object); bus.unref()`,
    'an export that ended': `const handle = bus.export('/', object); bus.watchConnection({ lost: () => handle.end() })`,
    'unref() at the loss': `bus.export('/', object);
      bus.watchConnection({ lost: () => bus.unref() })`,
  };
  const programs = Object.entries(scripts).map(([what, script]) => {
    // A timer keeps the process alive until the loss.
    const text = `${script}; const stay = setInterval(() => {}, 1000);
      bus.watchConnection({ lost: () => clearInterval(stay) }); console.log('ready');`;
    return [what, start(daemon, text)] as const;
  });
  for (const [, program] of programs) await program.line('ready');
  await daemon.kill();
  for (const [what, program] of programs) {
    const { code, stderr } = await program.finished;
    assert.is(code, 0, `${what}: ${stderr}`);
  }
});

test('calls that wait keep a process alive, and ref() does', async () => {
  await using daemon = await PrivateBus.start();
  const scripts = {
    'a waiting call': `const stay = setInterval(() => {}, 1000);
      bus.watchConnection({ lost: async () => {
        clearInterval(stay);
        console.log((await bus.listNames()).includes(bus.uniqueName));
      } })`,
    'ref()': `bus.ref(); bus.watchConnection({ restored: async () => { console.log(true); bus.unref(); } })`,
  };
  const programs = Object.entries(scripts).map(([what, script]) => {
    return [what, start(daemon, `${script}; console.log('ready');`)] as const;
  });
  for (const [, program] of programs) await program.line('ready');
  await daemon.kill();
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const [what, program] of programs) assert.ok(program.running, what);
  await daemon.restart();
  for (const [what, program] of programs) {
    const { code, stdout, stderr } = await program.finished;
    assert.is(code, 0, `${what}: ${stderr}`);
    assert.match(stdout, /true/, what);
  }
});

test('a service that gives up ends as one that does not reconnect, unless it is told', async () => {
  const daemon = await PrivateBus.start();
  const again = `const lasting = await connect({ reconnect: { ...reconnect, attempts: 2 } }); lasting.export('/', object);`;
  const silent = start(daemon, `${again} console.log('ready');`);
  const told = start(
    daemon,
    `${again} lasting.watchConnection({ gaveUp: ({ name }) => console.log(name) }); console.log('ready');`,
  );
  const awaits = start(
    daemon,
    `${again} void lasting.disconnected.then(({ name }) => console.log(name)); console.log('ready');`,
  );
  const programs = [silent, told, awaits];
  for (const program of programs) await program.line('ready');
  await daemon.kill();
  const results = await Promise.all(programs.map(({ finished }) => finished));
  await daemon.stop();
  assert.equal(
    results.map(({ code }) => code),
    [1, 0, 0],
  );
  const isWarning = ({ stderr }: { stderr: string }) => stderr.includes('BUSBAR_CONNECTION_LOST');
  assert.equal(results.map(isWarning), [true, false, false]);
  assert.match(results[1]?.stdout as string, /ConnectError/);
  assert.match(results[2]?.stdout as string, /ConnectionClosedError/);
});

test('a process that closes its bus while it is away ends', async () => {
  await using daemon = await PrivateBus.start();
  const program = start(
    daemon,
    `bus.export('/', object); bus.watchConnection({ lost: () => setTimeout(() => bus.close(), 60) }); console.log('ready');`,
  );
  await program.line('ready');
  await daemon.kill();
  const { code } = await program.finished;
  assert.is(code, 0);
  await until(() => !program.running);
});

test.run();
