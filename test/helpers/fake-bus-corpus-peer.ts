/**
 * A client and service in a separate process, for a bus that sends it all messages of a corpus: it decodes everything,
 * waits for replies, answers calls, and connects again when its connection has ended. Run as a program; the address is that
 * of the session bus.
 */
import { connect, defineInterface, implement } from '../../src/index.js';

/** Corpora answer serials up to this one. */
const LAST_SERIAL = 130;

const Everything = defineInterface('o.z.B', {
  methods: { Nah: { in: 's', out: 's' } },
  signals: { Spoke: { args: 's' } },
  properties: { Held: { type: 'a{sv}', access: 'readwrite' } },
});

process.on('warning', () => {});
console.log('ready');
for (;;) {
  const bus = await connect().catch(() => undefined);
  if (bus === undefined) continue;
  for (const path of ['/', '/foo/bar']) {
    bus.export(path, implement(Everything, { Nah: (text) => text, Held: {} }));
  }
  // Corpora send to this name.
  bus.requestName('o.z.F').catch(() => {});
  // Decodes every body, so that every fault is found.
  bus.addMessageHandler(({ body }) => void body);
  bus.subscribe({}, () => {});
  bus.watchName('org.example.Watched', {});
  for (let i = 0; i < LAST_SERIAL; i++) {
    const call = { destination: 'org.example.Silent', path: '/', member: 'Never', timeout: Number.POSITIVE_INFINITY };
    bus.call(call).catch(() => {});
  }
  await bus.disconnected;
}
