/** A process that sends as fast as it can until it is stopped, from one connection or several. */
import { libraryEntry, moduleArguments } from './own-runtime.js';
import { Program } from './program.js';

export interface Senders {
  readonly address: string;
  /** `flood`: calls that want no reply. `pipeline`: 256 calls at a time on each connection. `signals`: over a bus. */
  readonly kind: 'flood' | 'pipeline' | 'signals';
  readonly connections: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
}

const loops: Readonly<Record<Senders['kind'], string>> = {
  flood: `for (;;) {
    for (let i = 0; i < 1000; i++) bus.send({ ...message, type: 1, flags: 1 });
    await bus.flush();
  }`,
  pipeline: `const lane = async () => { for (;;) await bus.call({ ...message, timeout: 60_000 }); };
  await Promise.all(Array.from({ length: 256 }, lane));`,
  signals: `for (;;) {
    for (let i = 0; i < 200; i++) bus.emit(message);
    await bus.flush();
  }`,
};

/** The connections end when the receiver's end is closed or the program is stopped, and so does the sending. */
export function startSenders({ address, kind, connections, ...message }: Senders): Program {
  const options = { address, ...(kind === 'signals' ? {} : { peer: true }) };
  const text = `
    import { connect } from ${JSON.stringify(libraryEntry)};
    const message = ${JSON.stringify(message)};
    const send = async (bus) => { ${loops[kind]} };
    const buses = await Promise.all(Array.from({ length: ${connections} }, () => connect(${JSON.stringify(options)})));
    for (const bus of buses) send(bus).catch(() => process.exit());
  `;
  return Program.start(process.execPath, moduleArguments(text), { timeLimit: 60_000 });
}
