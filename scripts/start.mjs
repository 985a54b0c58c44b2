/**
 * `npm start`: sets everything up, then runs the quickstart, its service and its client as two processes: on the session
 * bus if one answers, otherwise on a private bus that ends with them, otherwise without a bus.
 */

import { readOptions } from './options.mjs';
import { answeringSessionBus } from './setup/session-bus.mjs';
import { runSetup, setupDependencies, setupLibrary, setupPrivateBus } from './setup.mjs';

const USAGE = `Usage: npm start -- [options]

  installs what is missing, and runs examples/quickstart: a service and a client, on the session bus,
  on a private bus, or without a bus.

  --peer      runs them without a bus
  --help      prints this text`;

const {
  values: { peer: peerToPeer = false },
} = readOptions(USAGE, { peer: { type: 'boolean' } });

await runSetup(setupDependencies, setupLibrary);

const sessionBus = peerToPeer ? undefined : await answeringSessionBus();

// Only now are the dependencies there that run TypeScript.
const { tsImport } = await import('tsx/esm/api');
const { Program } = await tsImport('../test/helpers/program.ts', import.meta.url);
const { PrivateBus } = await tsImport('../test/helpers/private-bus.ts', import.meta.url);

const done = await runSomewhere();
console.log(done ? '\nThis was examples/quickstart. Its files are short: read them next.' : '\nThe quickstart failed.');
process.exitCode = done ? 0 : 1;

async function runSomewhere() {
  if (sessionBus !== undefined) {
    console.log(`On the session bus, ${sessionBus}.`);
    return runOnBus(sessionBus);
  }
  if (peerToPeer || !setupPrivateBus()) {
    console.log(peerToPeer ? 'Without a bus.' : 'Neither a session bus nor a usable dbus-daemon here: without a bus.');
    return runWithoutBus();
  }
  console.log('No session bus here: starting a private one.');
  const bus = await PrivateBus.start();
  try {
    return await runOnBus(bus.address);
  } finally {
    await bus.stop();
  }
}

async function runOnBus(address) {
  const env = { DBUS_SESSION_BUS_ADDRESS: address };
  return runHalves(half('service', 'service', [], env), () => half('client', 'client', [], env));
}

function runWithoutBus() {
  return runHalves(half('service', 'peer-service'), (ready) => {
    const [address] = /unix:[^ ]+/.exec(ready);
    return half('client', 'client', ['--peer', address]);
  });
}

/** Runs the client once the service is ready; returns whether both succeeded. */
async function runHalves(service, startClient) {
  const ready = await service.line('ready').catch(() => undefined);
  if (ready === undefined) return false;
  const client = await startClient(ready).finished;
  const { code } = await service.stop();
  return client.code === 0 && code === 0;
}

function half(name, file, args = [], env = {}) {
  const prefix = `[${name}]`.padEnd(10);
  return Program.start(process.execPath, ['--import', 'tsx', `examples/quickstart/${file}.ts`, ...args], {
    env,
    timeLimit: 30_000,
    onLine: (line, stream) => (stream === 'stdout' ? console.log : console.error)(`${prefix}${line}`),
  });
}
