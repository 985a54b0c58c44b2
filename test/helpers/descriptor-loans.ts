/** A service whose methods get descriptors on loan, and its client. */
import { openSync, statSync } from 'node:fs';
import { defineInterface, FileDescriptor, implement, Variant } from '../../src/index.js';
import { peers } from './peers.js';

export const PATH = '/o';
export const NAME = 'org.example.Loans';

export const Loans = defineInterface(NAME, {
  methods: {
    Give: { in: ['file:h'] },
    GiveAny: { in: ['value:v'] },
    GiveKeys: { in: ['files:a{hs}'] },
    Later: { in: ['file:h'] },
    Echo: { in: ['file:h'], out: ['file:h'] },
  },
  signals: { Here: { args: ['file:h'] } },
  properties: { Log: { type: 'h', access: 'readwrite' }, Any: { type: 'v', access: 'readwrite' } },
});

export function isOpen(fd: number): boolean {
  try {
    // By its path: in Deno, node:fs reads no descriptor that it did not open itself.
    statSync(`/proc/self/fd/${fd}`);
    return true;
  } catch {
    return false;
  }
}

/** Closes a number that was taken, which node:fs in Deno cannot. */
export const closeFd = (fd: number) => FileDescriptor.adopt(fd).close();

export const source = openSync('/dev/null', 'r');

type Handler = (file: FileDescriptor) => unknown;

/** A service whose arguments are handled by `handle`, and its client. */
export async function pair(limits: { readonly descriptors?: number } = {}) {
  const ends = await peers({ limits }, { limits });
  const handling: { handle: Handler } = { handle: () => undefined };
  const object = implement(Loans, {
    Give: (file) => void handling.handle(file),
    GiveAny: () => {},
    GiveKeys: (files) => void handling.handle([...files.keys()][0] as FileDescriptor),
    Later: (file) => handling.handle(file) as Promise<void>,
    Echo: (file) => file,
    Log: source as unknown as FileDescriptor,
    Any: new Variant('s', ''),
  });
  ends.accepted.export(PATH, object);
  const proxy = ends.client.proxy(Loans, PATH);
  const ping = () => ends.client.call({ path: PATH, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
  const emit = () =>
    ends.accepted.emit({ path: PATH, interface: NAME, member: 'Here', signature: 'h', body: [source] });
  return { ...ends, object, proxy, handling, ping, emit, [Symbol.asyncDispose]: () => ends[Symbol.asyncDispose]() };
}
