/**
 * Finds the addresses of the well-known buses: from the environment first, then from the usual places. It does not
 * connect; the caller tries the addresses in order.
 *
 * @see D-Bus specification, section "Well-known Message Bus Instances"
 */
import { statSync } from 'node:fs';
import { ConnectError } from '../base/errors.js';
import { quoted } from '../base/names.js';
import { type Address, formatAddress, parseAddresses } from './address.js';

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The place in the specification, and the place that it links to on most systems. */
export const SYSTEM_BUS_SOCKETS: readonly string[] = ['/var/run/dbus/system_bus_socket', '/run/dbus/system_bus_socket'];

/**
 * The addresses of the session bus: only `DBUS_SESSION_BUS_ADDRESS` if it is set. Otherwise `$XDG_RUNTIME_DIR/bus`, and
 * `/run/user/<uid>/bus` if that is a socket of this user (a cron job or an ssh command has neither variable).
 *
 * @throws {@link ConnectError} if there is no address to try, or if the environment contains an invalid one
 */
export function sessionBusAddresses(env: Environment = process.env): readonly Address[] {
  const configured = fromEnvironment('DBUS_SESSION_BUS_ADDRESS', env);
  if (configured !== undefined) return configured;

  const addresses: Address[] = [];
  const missing = ['DBUS_SESSION_BUS_ADDRESS is not set'];
  const runtimeFolder = env.XDG_RUNTIME_DIR;
  // The XDG Base Directory Specification requires programs to ignore a relative path.
  if (runtimeFolder?.startsWith('/')) addresses.push(socketAddress(`${runtimeFolder}/bus`, '$XDG_RUNTIME_DIR/bus'));
  else missing.push(runtimeFolder ? 'XDG_RUNTIME_DIR is not an absolute path' : 'XDG_RUNTIME_DIR is not set');

  const uid = process.getuid?.();
  if (uid !== undefined && `/run/user/${uid}` !== runtimeFolder) {
    const path = `/run/user/${uid}/bus`;
    const objection = objectionToSocket(path, uid);
    if (objection === undefined) addresses.push(socketAddress(path, 'the usual place of the session bus'));
    else missing.push(objection);
  }
  if (addresses.length > 0) return addresses;
  throw new ConnectError(
    `no session bus was found: ${missing.join(', ')}. Run inside a login session, set DBUS_SESSION_BUS_ADDRESS, or start a bus with dbus-run-session`,
  );
}

/**
 * The addresses of the system bus: only `DBUS_SYSTEM_BUS_ADDRESS` if it is set, else the places that the specification
 * and distributions use.
 *
 * @throws {@link ConnectError} if the environment contains an invalid address
 */
export function systemBusAddresses(env: Environment = process.env): readonly Address[] {
  return (
    fromEnvironment('DBUS_SYSTEM_BUS_ADDRESS', env) ??
    SYSTEM_BUS_SOCKETS.map((path) => socketAddress(path, 'the usual place of the system bus'))
  );
}

/**
 * The addresses of the bus that activated this process: `DBUS_STARTER_ADDRESS`, else the bus that
 * `DBUS_STARTER_BUS_TYPE` names.
 *
 * @throws {@link ConnectError} if no bus started this process, or if the environment contains an invalid address or an
 *   unknown type
 */
export function starterBusAddresses(env: Environment = process.env): readonly Address[] {
  const configured = fromEnvironment('DBUS_STARTER_ADDRESS', env);
  if (configured !== undefined) return configured;
  switch (env.DBUS_STARTER_BUS_TYPE) {
    case 'session':
      return sessionBusAddresses(env);
    case 'system':
      return systemBusAddresses(env);
    case undefined:
    case '':
      throw new ConnectError(
        'no bus started this process: neither DBUS_STARTER_ADDRESS nor DBUS_STARTER_BUS_TYPE is set',
      );
    default:
      throw new ConnectError(
        `invalid DBUS_STARTER_BUS_TYPE ${quoted(env.DBUS_STARTER_BUS_TYPE)}: it must be session or system`,
      );
  }
}

/**
 * The addresses in a variable; an empty variable counts as not set. An invalid variable is an error of the environment,
 * not of the program, so it causes a {@link ConnectError}.
 */
function fromEnvironment(name: string, env: Environment): readonly Address[] | undefined {
  const list = env[name];
  if (list === undefined || list === '') return undefined;
  try {
    return parseAddresses(list, name);
  } catch (error) {
    throw new ConnectError((error as Error).message);
  }
}

function socketAddress(path: string, origin: string): Address {
  return parseAddresses(
    formatAddress({ transport: 'unix', parameters: new Map([['path', path]]) }),
    origin,
  )[0] as Address;
}

/**
 * Why a socket at a guessed place must not be used: it does not exist, or it belongs to another user, who could have
 * put it there to read what this process sends.
 */
export function objectionToSocket(path: string, uid: number): string | undefined {
  try {
    const status = statSync(path);
    if (!status.isSocket()) return `${path} is not a socket`;
    return status.uid === uid ? undefined : `${path} belongs to another user`;
  } catch (error) {
    // `throwIfNoEntry` does not serve here: Node.js 26 returns no entry for more errors than ENOENT.
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `${path} does not exist` : `${path} cannot be accessed (${code})`;
  }
}
