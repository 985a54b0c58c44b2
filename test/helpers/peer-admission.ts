/** A server of peers that exports the example object, and attempts of clients to use it. */
import { connect, type ListenOptions, listen, type PeerServer } from '../../src/index.js';
import { patience } from './patience.js';
import { Example, exampleObject, folder, PATH } from './peers.js';

/** A server that exports the example object. */
export function serve(options: Partial<ListenOptions> = {}): Promise<PeerServer> {
  const onConnection: ListenOptions['onConnection'] = (bus) => bus.export(PATH, exampleObject());
  return listen({ address: `unix:tmpdir=${folder}`, onConnection, ...options });
}

export async function canCall(server: PeerServer, anonymous = false, timeout = 2000): Promise<boolean> {
  const client = await connect({ address: server.address, peer: true, anonymous, timeout: timeout * patience }).catch(
    () => undefined,
  );
  if (client === undefined) return false;
  const answer = await client.proxy(Example, PATH).call.Echo('hello');
  await client.close();
  return answer === 'hello';
}
