/**
 * Fills the caches that are bounded and forget their oldest entries, before growth is judged: anything that still grows
 * then is not a cache.
 */
import { connect, type MessageBus } from '../../src/index.js';
import type { Ledger } from './ledger.js';
import { names, PATH, type Site, Soaked } from './site.js';

/** Heads of replies for callers, and names that were checked: 1024 of each are remembered. */
const CALLERS = 1100;
const CALLERS_AT_ONCE = 10;
/** Header strings, of which a connection remembers 4096. */
const STRINGS = 4200;

export async function fillCaches({ daemon, one, two }: Site, ledger: Ledger): Promise<void> {
  await Promise.all(
    Array.from({ length: CALLERS_AT_ONCE }, async () => {
      for (let i = 0; i < CALLERS / CALLERS_AT_ONCE; i++) await callOnce(daemon.address, ledger);
    }),
  );
  await sendStrings(one, two, ledger);
  await sendStrings(two, one, ledger);
}

/** The bus gives every connection a different name, and the callee remembers it. */
async function callOnce(address: string, ledger: Ledger): Promise<void> {
  const bus = await ledger.succeeds(connect({ address }));
  const callees = [names.one, names.two].map((name) => bus?.proxy(Soaked, name, PATH));
  await Promise.all(callees.map((callee) => callee && ledger.succeeds(callee.call.Echo('once'))));
  await bus?.close();
}

async function sendStrings(from: MessageBus, to: MessageBus, ledger: Ledger): Promise<void> {
  const signal = { path: PATH, interface: 'org.example.Soak.Strings' };
  using heard = to.subscribe(signal, () => {});
  await ledger.succeeds(heard.ready);
  for (let i = 0; i < STRINGS; i++) from.emit({ ...signal, member: `String${i}` });
  // The bus keeps the order: they have arrived when its answers have come at both ends.
  await ledger.succeeds(from.listNames());
  await ledger.succeeds(to.listNames());
}
