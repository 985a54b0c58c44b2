/** A private bus with two connections in this process: of a client, and of a service. */
import { connect } from '../../src/index.js';
import { PrivateBus } from './private-bus.js';

/** `destination` is the name of the service, and `stop` ends all three. */
export async function startClientAndService() {
  const daemon = await PrivateBus.start();
  const client = await connect({ address: daemon.address });
  const service = await connect({ address: daemon.address });
  const stop = async () => {
    await Promise.all([client.close(), service.close()]);
    await daemon.stop();
  };
  return { daemon, client, service, destination: service.uniqueName as string, stop };
}
