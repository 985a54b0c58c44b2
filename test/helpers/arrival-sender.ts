/**
 * Sends the messages of a plan, as a peer, and prints how many connections were lost: `arrival-sender.ts ADDRESS random
 * SEED CONNECTIONS` or `arrival-sender.ts ADDRESS sized singly|together`.
 *
 * Run it with `MALLOC_PERTURB_` set: fresh memory holds a pattern then.
 */
import { connect, type MessageBus } from '../../src/index.js';
import { ArrivalPlan, type Burst, burstsAround, INTERFACE, messagesAround, sizes } from './arrival-plan.js';

const [address = '', kind, ...rest] = process.argv.slice(2);
let lost = 0;

if (kind === 'random') {
  const [seed = 0, connections = 0] = rest.map(Number);
  const plan = new ArrivalPlan(seed);
  for (let index = 0; index < connections; index++) await send(plan.bursts(index));
} else {
  for (const size of sizes) {
    await send(rest[0] === 'together' ? burstsAround(size) : messagesAround(size).map((message) => [message]));
  }
}
console.log(`lost ${lost}`);

/** One connection. */
async function send(bursts: Iterable<Burst>): Promise<void> {
  // The receiver compares what came before it accepts the next connection.
  const bus = await connect({ address, peer: true, timeout: 120_000 });
  for (const burst of bursts) {
    for (const message of burst) bus.send({ ...message, ...(message.type === 1 ? { flags: 1 } : {}) });
    await bus.flush();
  }
  await end(bus);
}

/** The receiver hangs up when it has everything. */
async function end(bus: MessageBus): Promise<void> {
  bus.emit({ path: '/end', interface: INTERFACE, member: 'End' });
  await bus.flush();
  if (bus.state !== 'open') lost++;
  await bus.close();
}
