/**
 * The sessions of clients of the secret service: how secrets travel on the bus. Without encryption (`plain`), or
 * encrypted with a key on which the two sides agree by Diffie-Hellman, so that no monitor of the bus can read them.
 */
import { createCipheriv, createDecipheriv, getDiffieHellman, hkdfSync, randomBytes } from 'node:crypto';
import { type Caller, DBusError, InvalidArgumentError, implement, NotSupportedError, sessionBus } from 'busbar';
import { Session } from '../interfaces/secrets.js';

const CIPHER = 'aes-128-cbc';

/** A secret as the service keeps it. */
export interface Secret {
  readonly value: Buffer;
  readonly type: string;
}
/** A secret on the bus: the path of the session, the parameters of its algorithm, the value, and its content type. */
export type SentSecret = [session: string, parameters: Buffer, value: Buffer, type: string];

/** The key of each open session, by its path; `undefined` for sessions without encryption. */
const keys = new Map<string, Buffer | undefined>();
let last = 0;
export const bus = await sessionBus();

function keyOf(session: string): Buffer | undefined {
  if (keys.has(session)) return keys.get(session);
  throw new DBusError('org.freedesktop.Secret.Error.NoSession', `there is no session ${session}`);
}

/** Opens a session, which ends when the client closes it or leaves the bus. */
export function openSession(
  algorithm: string,
  input: unknown,
  client: Caller,
): [output: string | Buffer, path: string] {
  const [output, key] = agree(algorithm, input);
  const path = `/org/freedesktop/secrets/session/${++last}`;
  keys.set(path, key);
  const end = () => {
    keys.delete(path);
    exported.end();
    lease.end();
  };
  const exported = bus.export(path, implement(Session, { Close: end }));
  const lease = client.track(end);
  return [output, path];
}

function agree(algorithm: string, input: unknown): [output: string | Buffer, key: Buffer | undefined] {
  if (algorithm === 'plain') return ['', undefined];
  if (algorithm !== 'dh-ietf1024-sha256-aes128-cbc-pkcs7')
    throw new NotSupportedError(`the algorithm ${algorithm} is not supported`);
  const exchange = getDiffieHellman('modp2');
  const publicKey = exchange.generateKeys();
  try {
    const shared = exchange.computeSecret(input as Buffer);
    return [publicKey, Buffer.from(hkdfSync('sha256', shared, '', '', 16))];
  } catch {
    throw new InvalidArgumentError('the input is not a public key of this algorithm');
  }
}

export function seal(session: string, { value, type }: Secret): SentSecret {
  const key = keyOf(session);
  if (key === undefined) return [session, Buffer.alloc(0), value, type];
  const parameters = randomBytes(16);
  const cipher = createCipheriv(CIPHER, key, parameters);
  return [session, parameters, Buffer.concat([cipher.update(value), cipher.final()]), type];
}

export function unseal([session, parameters, value, type]: SentSecret): Secret {
  const key = keyOf(session);
  if (key === undefined) return { value, type };
  try {
    const decipher = createDecipheriv(CIPHER, key, parameters);
    return { value: Buffer.concat([decipher.update(value), decipher.final()]), type };
  } catch {
    throw new InvalidArgumentError('the secret is not encrypted with the key of the session');
  }
}
