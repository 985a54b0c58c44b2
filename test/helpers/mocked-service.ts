/** Services that python-dbusmock plays by its templates, each on a private bus that is the system bus of the programs on it. */
import { connect, type MessageBus } from '../../src/index.js';
import { type Daemon, PrivateBus } from './private-bus.js';
import { Program } from './program.js';
import { pythonWith } from './python.js';
import { roundTrips } from './round-trips.js';

/** The names of the services by their templates. */
const names = {
  bluez5: 'org.bluez',
  networkmanager: 'org.freedesktop.NetworkManager',
  power_profiles_daemon: 'net.hadess.PowerProfiles',
  upower: 'org.freedesktop.UPower',
};

const python = pythonWith('dbusmock');

/** Why no mock can run here; `undefined` if it can. */
export function missingMock(daemon?: Daemon): string | undefined {
  return PrivateBus.missing(daemon && { daemon }) ?? (python ? undefined : 'python3-dbusmock not installed');
}

/**
 * Starts a bus and the service on it.
 *
 * @param use gets a connection, and the environment for programs that use the service
 */
export async function withMock(
  template: keyof typeof names,
  use: (bus: MessageBus, env: PrivateBus['env']) => Promise<void>,
  daemon?: Daemon,
): Promise<void> {
  await using server = await PrivateBus.start(daemon && { daemon });
  await using bus = await connect({ address: server.address });
  await using _mock = Program.start(python as string, ['-m', 'dbusmock', '--template', template], { env: server.env });
  await bus.waitForName(names[template], { timeout: 20_000 });
  await roundTrips(bus);
  await use(bus, server.env);
}
