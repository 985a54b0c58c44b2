/**
 * `npm start`: sets everything up, then runs the quickstart: its service and its client as two processes, on the
 * session bus where one answers, else on a private bus that goes when they are done.
 */

import { answeringSessionBus } from './setup/session-bus.mjs';
import { orExplain, setupDependencies, setupLibrary, setupPrivateBus } from './setup.mjs';

await orExplain(setupDependencies, setupLibrary);

let address = await answeringSessionBus();
const privateBus = address === undefined;
if (privateBus) await orExplain(setupPrivateBus);

// Only now are the dependencies there that TypeScript needs to run.
const { tsImport } = await import('tsx/esm/api');
const { Program } = await tsImport('../test/helpers/program.ts', import.meta.url);
const { PrivateBus } = await tsImport('../test/helpers/private-bus.ts', import.meta.url);

const bus = privateBus ? await PrivateBus.start() : undefined;
address = bus === undefined ? address : bus.address;
console.log(privateBus ? 'No session bus here: starting a private one.' : `On the session bus, ${address}.`);

try {
  const done = await runQuickstart();
  console.log(
    done ? '\nThat was examples/quickstart: its files are short, read on there.' : '\nThe quickstart failed.',
  );
  process.exitCode = done ? 0 : 1;
} finally {
  if (bus !== undefined) await bus.stop();
}

/** Runs both halves, the client once the service is ready; answers whether both ended well. */
async function runQuickstart() {
  const service = half('service');
  const ready = await service.line('ready').catch(() => undefined);
  if (ready === undefined) return false;
  const client = await half('client').finished;
  const { code } = await service.stop();
  return client.code === 0 && code === 0;
}

function half(name) {
  const prefix = `[${name}]`.padEnd(10);
  return Program.start(process.execPath, ['--import', 'tsx', `examples/quickstart/${name}.ts`], {
    env: { DBUS_SESSION_BUS_ADDRESS: address },
    timeLimit: 30_000,
    onLine: (line, stream) => (stream === 'stdout' ? console.log : console.error)(`${prefix}${line}`),
  });
}
