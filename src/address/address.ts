/**
 * Server addresses as text and as data: lists, escaping, and the parameters of each transport. This module does not
 * connect and does not look anything up: an {@link Address} tells what the program wrote, where it came from, and
 * whether a client could connect to it.
 *
 * @see D-Bus specification, section "Server Addresses"
 */
import { InvalidArgumentError } from '../base/errors.js';
import { quoted } from '../base/names.js';

/** The parts of an address: `unix:path=/run/user/1000/bus` is the transport `unix` with one parameter. */
export interface AddressParts {
  /** For instance `unix`, `tcp`, `unixexec`. */
  readonly transport: string;
  /** Keys and values in their order, unescaped. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** One address of a list. */
export interface Address extends AddressParts {
  /** The address as it was written. The transport gets this text. */
  readonly text: string;
  /** Where the address came from, for instance `DBUS_SESSION_BUS_ADDRESS`. */
  readonly origin: string;
  /**
   * Why a client cannot connect to the address; `undefined` if it can try. Other addresses of the list may still be
   * usable.
   */
  readonly refusal: string | undefined;
}

/** Bytes that need no escape. `*` was added in a later version, so it is accepted unescaped but written escaped. */
const UNESCAPED_WHEN_WRITTEN = /[-0-9A-Za-z_/.\\]/;
const FORBIDDEN_WHEN_READ = /[^-0-9A-Za-z_/.\\*%]/u;
const WRONG_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

/**
 * Parses a list of addresses, which are to be tried in their order. Empty entries (`a;;b`, `a;`) are skipped, as sd-bus
 * does.
 *
 * @param list addresses separated by `;`
 * @param origin where the list comes from, for error texts
 * @throws {@link InvalidArgumentError} if an address breaks the grammar, or if the list has none. An address that is
 *   well formed but unusable for a client is returned with its `refusal`.
 */
export function parseAddresses(list: string, origin = 'address'): readonly Address[] {
  if (typeof list !== 'string') {
    throw new InvalidArgumentError(`invalid ${origin}: expected a string, got ${list === null ? 'null' : typeof list}`);
  }
  const addresses = list
    .split(';')
    .filter((text) => text !== '')
    .map((text) => parseAddress(text, origin));
  if (addresses.length === 0)
    throw new InvalidArgumentError(`invalid ${origin} ${quoted(list)}: it contains no address`);
  return addresses;
}

function parseAddress(text: string, origin: string): Address {
  const invalid = (reason: string) => new InvalidArgumentError(`invalid ${origin} ${quoted(text)}: ${reason}`);
  const colon = text.indexOf(':');
  if (colon === -1) throw invalid('the ":" after the transport is missing, as in unix:path=/run/bus');
  if (colon === 0) throw invalid('the transport before the ":" is missing');
  const transport = text.slice(0, colon);
  const parameters = new Map<string, string>();
  if (colon + 1 < text.length) {
    for (const parameter of text.slice(colon + 1).split(',')) {
      const equals = parameter.indexOf('=');
      if (equals <= 0) throw invalid(`the parameter ${quoted(parameter)} is not of the form key=value`);
      const key = parameter.slice(0, equals);
      if (parameters.has(key)) throw invalid(`the key ${quoted(key)} is given twice`);
      parameters.set(key, unescapeValue(parameter.slice(equals + 1), key, invalid));
    }
  }
  const parts = { transport, parameters };
  return { ...parts, text, origin, refusal: addressRefusal(parts) };
}

function unescapeValue(value: string, key: string, invalid: (reason: string) => Error): string {
  const forbidden = FORBIDDEN_WHEN_READ.exec(value)?.[0];
  if (forbidden !== undefined) {
    throw invalid(
      `${quoted(forbidden)} in the value of ${quoted(key)} must be written ${escapeAddressValue(forbidden)}`,
    );
  }
  if (WRONG_ESCAPE.test(value)) throw invalid(`a "%" in the value of ${quoted(key)} needs two hexadecimal digits`);
  if (!value.includes('%')) return value;
  if (value.includes('%00')) throw invalid(`the value of ${quoted(key)} contains a NUL`);
  // Paths are bytes. A path that is not UTF-8 can be shown only approximately, but `text` has it exactly.
  return Buffer.from(
    value.replace(/%(..)/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16))),
    'latin1',
  ).toString('utf8');
}

/** Escapes a value for an address: every byte of its UTF-8 except `-0-9A-Za-z_/.\` becomes `%` and two digits. */
export function escapeAddressValue(value: string): string {
  let escaped = '';
  for (const byte of Buffer.from(value, 'utf8')) {
    const character = String.fromCharCode(byte);
    escaped += UNESCAPED_WHEN_WRITTEN.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return escaped;
}

/**
 * Formats an address.
 *
 * @throws {@link InvalidArgumentError} if the transport or a key could not be parsed again, or if a value contains a
 *   NUL or a lone surrogate
 */
export function formatAddress({ transport, parameters }: AddressParts): string {
  if (!/^[^:;]+$/.test(transport)) throw new InvalidArgumentError(`invalid transport ${quoted(transport)}`);
  const written = [...parameters].map(([key, value]) => {
    if (!/^[^=,;]+$/.test(key)) throw new InvalidArgumentError(`invalid key ${quoted(key)} of an address`);
    if (/[\0\p{Surrogate}]/u.test(value)) {
      throw new InvalidArgumentError(`the value of ${quoted(key)} contains a NUL or a lone surrogate`);
    }
    return `${key}=${escapeAddressValue(value)}`;
  });
  return `${transport}:${written.join(',')}`;
}

type Parameters = AddressParts['parameters'];

/** `sun_path` has 108 bytes. A path needs one of them for its NUL, and an abstract name one for its leading NUL. */
const SOCKET_NAME_MAXIMUM = 107;
const UNIX_KEYS = ['path', 'abstract', 'runtime', 'dir', 'tmpdir'] as const;

/**
 * The transports that an address may name: the parameters that a client needs to connect, and the reason for each
 * transport that it cannot use at all. sd-bus would answer all of these with a bare EINVAL.
 *
 * @see D-Bus specification, section "Transports"
 */
const transports: Readonly<Record<string, (parameters: Parameters) => string | undefined>> = {
  unix: refuseUnix,
  tcp: refuseTcp,
  unixexec: (parameters) => (parameters.get('path') ? undefined : 'it names no program: "path" is missing'),
  'x-machine-unix': (parameters) =>
    parameters.get('machine') || parameters.get('pid') ? undefined : 'it names no container: "machine" is missing',
  'nonce-tcp': () => 'nonce-tcp is a transport of Windows, which sd-bus does not have; use tcp or unix',
  autolaunch: () => 'autolaunch starts a bus through X11, which sd-bus does not do; give the address of a running bus',
  disabled: () => 'the bus is switched off: the transport "disabled" says that there is none',
  launchd: () => 'launchd is a transport of macOS',
  systemd: () => '"systemd" is for servers that systemd starts: a client connects to the address of their socket',
};

/** Why a client cannot connect to an address, or `undefined` if it can try. */
export function addressRefusal({ transport, parameters }: AddressParts): string | undefined {
  const refuse = Object.hasOwn(transports, transport) ? transports[transport] : undefined;
  if (refuse === undefined)
    return `the transport ${quoted(transport)} is unknown (known: unix, tcp, unixexec, x-machine-unix)`;
  const reason = refuse(parameters);
  if (reason !== undefined) return reason;
  return refuseGuid(parameters.get('guid'));
}

/** The sd-bus library treats a guid of zeros as none, and would not compare it with that of the server. */
function refuseGuid(guid: string | undefined): string | undefined {
  if (guid === undefined) return undefined;
  if (!/^[0-9A-Fa-f]{32}$/.test(guid)) return '"guid" is not 32 hexadecimal digits';
  return /^0+$/.test(guid) ? '"guid" is all zeros, which no server has' : undefined;
}

function refuseUnix(parameters: Parameters): string | undefined {
  const given = UNIX_KEYS.filter((key) => parameters.has(key));
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none is' : `${given.join(' and ')} are`;
    return `exactly one of ${UNIX_KEYS.join(', ')} is needed, ${found} given`;
  }
  const key = given[0] as (typeof UNIX_KEYS)[number];
  if (key !== 'path' && key !== 'abstract')
    return `"${key}" is for servers to listen on, a client cannot connect to it`;
  const length = Buffer.byteLength(parameters.get(key) as string);
  if (length === 0) return `"${key}" is empty`;
  if (length > SOCKET_NAME_MAXIMUM) {
    return `"${key}" has ${length} bytes, a unix socket's name has at most ${SOCKET_NAME_MAXIMUM}`;
  }
  return undefined;
}

function refuseTcp(parameters: Parameters): string | undefined {
  if (!parameters.get('host')) return '"host" is missing';
  const port = parameters.get('port');
  if (port === undefined) return '"port" is missing';
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) === 0 || Number(port) > 65_535) return '"port" is not 1 to 65535';
  const family = parameters.get('family');
  return family === undefined || family === 'ipv4' || family === 'ipv6' ? undefined : '"family" is not ipv4 or ipv6';
}

/** The address without the GUID that its server must have: a server that was started again may have another one. */
export function withoutGuid(address: Address): Address {
  if (!address.parameters.has('guid')) return address;
  // Of the text as it was written: a path may have bytes that JavaScript cannot represent.
  const text = address.text.replace(/(?<=[:,])guid=[^,]*,?/, '').replace(/,$/, '');
  const parameters = new Map([...address.parameters].filter(([key]) => key !== 'guid'));
  return { ...address, text, parameters };
}
