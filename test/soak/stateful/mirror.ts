/**
 * A mirror of the stateful soak: it follows every service by its signals, as a client of BlueZ or UDisks does, and calls
 * their objects all the while. It checks the conditions that must hold at any moment, and prints its state on request.
 *
 * Arguments: the address, then the names of the services.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../../src/index.js';
import { answerLines, say } from './lines.js';
import { CLOCK, type Counts, ITEM, type MirrorCommand, type Open } from './mirrored.js';
import { isGoneError, View } from './view.js';

/** Pending calls at a time. */
const CALLERS = 4;
/** Milliseconds. Callers get an error of a lost service long before. */
const PATIENCE = 120_000;

const [address = '', ...names] = process.argv.slice(2);
const bus = await connect({ address });
const counts: Counts = { calls: 0, answered: 0, left: 0, signals: 0, fetches: 0 };
const wrong = (what: string) => say({ event: 'wrong', what });
const views = names.map((name) => new View(bus, name, counts, wrong));
for (const view of views) view.follow();
bus.ref();

let paused: Promise<void> | undefined;
let resume = () => {};
let working = 0;
let rested = () => {};

/** Calls one object after the other, of any service. */
async function call(number: number): Promise<void> {
  for (let turn = number; ; turn++) {
    if (paused !== undefined) await paused;
    const view = views[turn % views.length] as View;
    const { owner, objects } = view;
    const paths = Object.keys(objects ?? {});
    const path = paths[turn % paths.length];
    if (owner === undefined || path === undefined) {
      await delay(5);
      continue;
    }
    working++;
    // By either name: if the owner is the same afterwards, it was asked.
    await callOne(view, turn % 2 === 0 ? owner : view.name, owner, path, turn);
    if (--working === 0) rested();
    await delay(2);
  }
}

async function callOne(view: View, destination: string, owner: string, path: string, turn: number): Promise<void> {
  counts.calls++;
  const target = { destination, path, interface: ITEM, timeout: PATIENCE };
  try {
    if (turn % 3 === 0) {
      const body = [`${turn}`, { [path]: turn }];
      const echoed = await bus.call({ ...target, member: 'Echo', signature: 'sa{su}', body });
      if (JSON.stringify(echoed) !== JSON.stringify(body)) wrong(`${turn} comes back as ${JSON.stringify(echoed)}`);
    } else {
      const [bumps] = await bus.call({ ...target, member: 'Bump', signature: 'u', body: [turn % 5] });
      // The change is sent before the answer: a caller that has the answer has seen the change.
      const seen = view.owner === owner ? view.objects?.[path]?.Bumps : undefined;
      if (seen !== undefined && seen < (bumps as number)) wrong(`${path} has ${bumps} bumps, and ${seen} were seen`);
    }
    counts.answered++;
  } catch (error) {
    if (isGoneError(error)) counts.left++;
    else wrong(`a call to ${destination} ${path} failed: ${String(error)}`);
  }
}

function open(): Open {
  const { pendingCalls, subscriptions } = bus.stats();
  return { descriptors: readdirSync('/proc/self/fd').length, pendingCalls, subscriptions };
}

async function handle(command: MirrorCommand): Promise<unknown> {
  switch (command.do) {
    case 'pause':
      paused = new Promise((go) => {
        resume = go;
      });
      if (working > 0)
        await new Promise<void>((go) => {
          rested = go;
        });
      return undefined;
    case 'resume':
      paused = undefined;
      return resume();
    case 'show':
      return (views.find(({ name }) => name === command.name) as View).seenAt(CLOCK, command.epoch);
    case 'count':
      return { counts, open: open() };
  }
}

for (let number = 0; number < CALLERS; number++) void call(number);
say({ event: 'ready' });
await answerLines(handle);
process.exit();
