/** Two ends of a peer connection in this process, and the objects that they export to each other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConnectOptions,
  connect,
  defineInterface,
  implement,
  type ListenOptions,
  listen,
  type MessageBus,
  type PeerServer,
} from '../../src/index.js';
import { onExit } from './exit-cleanup.js';

/** The type of both ends of the tests' connections. */
export const Example = defineInterface('org.example.Peer', {
  methods: {
    Echo: { in: 'v', out: 'v' },
    Slow: { out: 's' },
    Who: { out: 'uu' },
    Pass: { in: 'h', out: 'h' },
    Size: { in: 'ay', out: 'u' },
  },
  signals: { Said: { args: 's' } },
  properties: { Count: { type: 'u', access: 'readwrite' } },
});

export const PATH = '/org/example/peer';

/** The object that an end exports. `aborted` is called when the caller of `Slow` has gone. */
export function exampleObject(aborted: (nothing: unknown) => void = () => {}) {
  return implement(Example, {
    Echo: (value) => value,
    Slow: ({ signal }) => new Promise<string>(() => signal.addEventListener('abort', aborted)),
    async Who(context) {
      const { uid, pid } = await context.caller.credentials();
      return [uid ?? 0, pid ?? 0];
    },
    Pass: (fd) => fd.handOver(),
    Size: (bytes) => bytes.length,
    Count: 0,
  });
}

/** A server and one client, and the server's end of the connection between them. */
export interface Peers extends AsyncDisposable {
  readonly server: PeerServer;
  readonly client: MessageBus;
  /** The server's end. */
  readonly accepted: MessageBus;
}

export async function peers(
  listening: Partial<ListenOptions> = {},
  connecting: Partial<ConnectOptions> = {},
): Promise<Peers> {
  const server = await listen({ address: `unix:tmpdir=${folder}`, ...listening });
  const next = server[Symbol.asyncIterator]().next();
  const client = await connect({ address: server.address, peer: true, ...connecting });
  const { value: accepted } = await next;
  if (accepted === undefined) throw new Error('the server was closed');
  return {
    server,
    client,
    accepted,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server.close();
    },
  };
}

/** A folder for sockets, which is removed with this process. Other users may read it. */
export const folder = mkdtempSync(join(tmpdir(), 'busbar-peers-'));
onExit(() => rmSync(folder, { recursive: true, force: true }));
