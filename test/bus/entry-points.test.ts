// Every public entry point, with values of the wrong kind in every place: an InvalidArgumentError before any effect. The
// table below names each function that the library exports; a function that it does not name fails the test.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as library from '../../src/index.js';
import {
  connect,
  defineInterface,
  FileDescriptor,
  InvalidArgumentError,
  implement,
  listen,
  MessageType,
} from '../../src/index.js';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';

const test = suite('entry points');

const badValues: readonly unknown[] = [
  null,
  5,
  -1,
  '7',
  'unknown',
  Number.NaN,
  {},
  [],
  true,
  () => {},
  Symbol('symbol'),
  10n,
  new AbortController(),
];

/** Which of the bad values are invalid for a place of this kind. Any object is accepted as options without keys. */
const accepted = {
  busName: () => false,
  interfaceName: () => false,
  errorName: () => false,
  path: () => false,
  signature: () => false,
  address: () => false,
  signal: () => false,
  serial: () => false,
  choice: () => false,
  member: (value: unknown) => value === 'unknown',
  text: (value: unknown) => typeof value === 'string',
  boolean: (value: unknown) => typeof value === 'boolean',
  function: (value: unknown) => typeof value === 'function',
  options: (value: unknown) => typeof value === 'object' && value !== null,
  record: (value: unknown) =>
    typeof value === 'function' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
  array: Array.isArray,
  timeout: (value: unknown) => value === 5,
  limit: (value: unknown) => value === 5,
  byte: (value: unknown) => value === 5,
  target: () => false,
  /** A place where every value is valid. */
  any: () => true,
} satisfies Record<string, (value: unknown) => boolean>;
type Kind = keyof typeof accepted;

/** The places in the arguments, by their paths (`1.signal`), and the kind of value of each. */
type Places = Readonly<Record<string, Kind>>;

interface EntryPoint {
  /** The object and the function. */
  readonly on: object;
  readonly name: string;
  /** Valid arguments. */
  readonly args: readonly unknown[];
  readonly places: Places;
}

const NAME = 'org.example.Entry';
const Entry = defineInterface(NAME, {
  methods: { Echo: { in: 's', out: 's' } },
  signals: { Said: { args: 's' } },
  properties: { On: { type: 'b' } },
});

const server = await PrivateBus.start();
const bus = await connect({ address: server.address });
const members = { Echo: (text: string) => text, On: false };
const proxy = bus.proxy(Entry, 'org.freedesktop.DBus', '/');
const peers = await listen({ address: 'unix:tmpdir=/tmp' });
const remote = await bus.object('org.freedesktop.DBus', '/', { introspection: '<node/>' });
const owned = await bus.requestName('org.example.EntryOwned');
const watching = proxy.watch.Said();
const timeoutAndSignal = { timeout: 'timeout', signal: 'signal', variants: 'choice', typedArrays: 'boolean' } as const;
const callOptions = { ...timeoutAndSignal, noReply: 'boolean', autoStart: 'boolean', interactive: 'boolean' } as const;
/** The options of what is followed. */
const followed = { timeout: 'timeout', signal: 'signal', variants: 'choice' } as const;
const wishes = { replace: 'boolean', allowReplacement: 'boolean', queue: 'boolean' } as const;
const under = (prefix: string, places: Places): Places =>
  Object.fromEntries(Object.entries(places).map(([place, kind]) => [`${prefix}.${place}`, kind]));
const functions = (prefix: string, names: readonly string[]) =>
  under(prefix, Object.fromEntries(names.map((name) => [name, 'function'])));

const tree = { children: () => [], find: () => undefined };
const ofTree = { ...functions('1', ['children', 'find']), '1.manager': 'boolean' } as const;

test.after(async () => {
  watching[Symbol.dispose]();
  await owned.release();
  await Promise.all([bus.close(), peers.close()]);
  await server.stop();
});

const call = {
  destination: 'org.freedesktop.DBus',
  path: '/',
  interface: NAME,
  member: 'Echo',
  signature: 's',
  body: ['x'],
};
const callPlaces: Places = {
  destination: 'busName',
  path: 'path',
  interface: 'interfaceName',
  member: 'member',
  signature: 'signature',
  body: 'array',
  reply: 'choice',
  serial: 'serial',
  ...callOptions,
};
const signal = { path: '/', interface: NAME, member: 'Said', signature: 's', body: ['x'], destination: ':1.1' };
const signalPlaces: Places = {
  path: 'path',
  interface: 'interfaceName',
  member: 'member',
  signature: 'signature',
  body: 'array',
  destination: 'busName',
};
const limits = { messageSize: 'limit', decodedSize: 'limit', callsInProgress: 'limit', queuedBytes: 'limit' } as const;
const connection = {
  address: 'address',
  transport: 'choice',
  poller: 'choice',
  anonymous: 'boolean',
  limits: 'options',
  ...under('limits', { ...limits, descriptors: 'limit' }),
} as const satisfies Places;

const serving = under('1', {
  ...{ name: 'busName', objects: 'record', objectManager: 'path', exitWhenIdle: 'timeout', drain: 'timeout' },
  ...{ handleSignals: 'boolean', notify: 'boolean', reload: 'function', signal: 'signal', ...wishes },
});

const table: readonly EntryPoint[] = [
  // Functions of a connection.
  {
    on: bus,
    name: 'call',
    args: [call, {}],
    places: { 0: 'options', 1: 'options', ...under('0', callPlaces), ...under('1', callOptions) },
  },
  { on: bus, name: 'emit', args: [signal], places: { 0: 'options', ...under('0', signalPlaces) } },
  {
    on: bus,
    name: 'send',
    args: [{ type: MessageType.Signal, ...signal }],
    places: { 0: 'options', ...under('0', { ...signalPlaces, type: 'choice', flags: 'byte', serial: 'serial' }) },
  },
  {
    on: bus,
    name: 'send',
    args: [{ type: MessageType.Error, errorName: NAME, replySerial: 1, destination: ':1.1' }],
    places: under('0', { errorName: 'errorName', replySerial: 'limit' }),
  },
  {
    on: bus,
    name: 'addMessageHandler',
    args: [() => {}, {}],
    places: { 0: 'function', 1: 'options', '1.replies': 'boolean' },
  },
  {
    on: bus,
    name: 'subscribe',
    args: [{ member: 'Said' }, () => {}],
    places: {
      0: 'options',
      1: 'function',
      ...under('0', {
        sender: 'busName',
        path: 'path',
        pathNamespace: 'path',
        interface: 'interfaceName',
        member: 'member',
      }),
      ...under('0', { destination: 'busName', arg0: 'text', arg1path: 'text', eavesdrop: 'boolean' }),
    },
  },
  { on: bus, name: 'requestName', args: [NAME, {}], places: { 0: 'busName', 1: 'options', ...under('1', wishes) } },
  { on: bus, name: 'close', args: [{}], places: { 0: 'options', '0.drain': 'timeout' } },
  { on: bus, name: 'releaseName', args: [NAME], places: { 0: 'busName' } },
  { on: bus, name: 'nameOwner', args: [NAME], places: { 0: 'busName' } },
  { on: bus, name: 'hasName', args: [NAME], places: { 0: 'busName' } },
  { on: bus, name: 'startService', args: [NAME], places: { 0: 'busName' } },
  { on: bus, name: 'credentials', args: [NAME], places: { 0: 'busName' } },
  {
    on: bus,
    name: 'watchName',
    args: [NAME, {}],
    places: { 0: 'busName', 1: 'options', ...functions('1', ['appeared', 'vanished', 'refused']) },
  },
  {
    on: bus,
    name: 'watchNames',
    args: ['org.example', {}],
    places: { 0: 'member', 1: 'options', ...functions('1', ['appeared', 'vanished', 'changed', 'refused']) },
  },
  { on: bus, name: 'watchConnection', args: [{}], places: { 0: 'options', ...functions('0', ['lost', 'restored']) } },
  { on: bus, name: 'watchConnection', args: [{}], places: functions('0', ['gaveUp']) },
  {
    on: bus,
    name: 'waitForName',
    args: ['org.freedesktop.DBus', {}],
    places: { 0: 'busName', 1: 'options', ...under('1', { start: 'boolean', timeout: 'timeout', signal: 'signal' }) },
  },
  {
    on: bus,
    name: 'signals',
    args: [Entry, {}, { Said: () => {} }],
    places: {
      0: 'target',
      1: 'options',
      2: 'options',
      ...under('1', { sender: 'busName', path: 'path', pathNamespace: 'path', arg0: 'text' }),
      '2.Said': 'function',
    },
  },
  { on: bus, name: 'export', args: ['/', implement(Entry, members)], places: { 0: 'path', 1: 'target' } },
  { on: bus, name: 'exportObjectManager', args: ['/'], places: { 0: 'path' } },
  { on: bus, name: 'exportTree', args: ['/trees', tree], places: { 0: 'path', 1: 'target', ...ofTree } },
  {
    on: bus,
    name: 'proxy',
    args: [Entry, 'org.freedesktop.DBus', '/'],
    places: { 0: 'target', 1: 'busName', 2: 'path' },
  },
  {
    on: bus,
    name: 'object',
    args: ['org.freedesktop.DBus', '/', {}],
    places: { 0: 'busName', 1: 'path', 2: 'options', '2.introspection': 'target', ...under('2', callOptions) },
  },
  {
    on: bus,
    name: 'conforms',
    args: [Entry, 'org.freedesktop.DBus', '/', {}],
    places: { 0: 'target', 1: 'busName', 2: 'path', 3: 'options', ...under('3', callOptions) },
  },
  {
    on: bus,
    name: 'objects',
    args: ['org.freedesktop.DBus', '/', {}],
    places: { 0: 'busName', 1: 'path', 2: 'options', '2.timeout': 'timeout' },
  },
  {
    on: bus,
    name: 'cached',
    args: [Entry, 'org.freedesktop.DBus', '/', {}],
    places: { 0: 'target', 1: 'busName', 2: 'path', 3: 'options', ...under('3', followed) },
  },
  // Functions of a proxy.
  { on: proxy.call, name: 'Echo', args: ['text'], places: { 0: 'text' } },
  { on: proxy.on, name: 'Said', args: [() => {}], places: { 0: 'function' } },
  { on: proxy.once, name: 'Said', args: [{}], places: { 0: 'options', '0.signal': 'signal' } },
  { on: proxy.watch, name: 'Said', args: [{}], places: { 0: 'options', '0.signal': 'signal', '0.limit': 'limit' } },
  { on: proxy.set, name: 'On', args: [true], places: { 0: 'boolean' } },
  { on: proxy, name: 'onChange', args: [() => {}], places: { 0: 'function' } },
  { on: proxy, name: 'with', args: [{}], places: { 0: 'options', ...under('0', callOptions) } },
  // Functions of the objects that these return.
  { on: remote, name: 'interface', args: ['org.example.None'], places: { 0: 'interfaceName' } },
  // Functions of the package.
  {
    on: library,
    name: 'connect',
    args: [{ address: 'unix:path=/nonexistent/bus' }],
    places: {
      0: 'options',
      ...under('0', { ...connection, bus: 'choice', peer: 'boolean', timeout: 'timeout', signal: 'signal' }),
    },
  },
  {
    on: library,
    name: 'listen',
    args: [{ address: 'unix:path=/nonexistent/bus' }],
    places: {
      0: 'options',
      ...under('0', { ...connection, allow: 'function', onConnection: 'function', authenticationTimeout: 'timeout' }),
    },
  },
  { on: library, name: 'serve', args: [bus, { objects: {} }], places: { 0: 'target', 1: 'options', ...serving } },
  {
    on: library,
    name: 'formatMatchRule',
    args: [{}],
    places: { 0: 'options', '0.type': 'choice', '0.sender': 'busName' },
  },
  {
    on: library,
    name: 'pair',
    args: [{}],
    places: {
      0: 'options',
      ...under('0', { poller: 'choice', limits: 'options', ...under('limits', { ...limits, descriptors: 'limit' }) }),
    },
  },
  { on: library, name: 'registerError', args: [RangeError, 'a.b'], places: { 0: 'target', 1: 'errorName' } },
  { on: library, name: 'keepTypes', args: [{}, {}], places: { 0: 'options', 1: 'options' } },
  { on: library, name: 'dict', args: [{}, 'a{sv}'], places: { 0: 'options', 1: 'signature' } },
  { on: library, name: 'arrayOf', args: ['s', 'name'], places: { 0: 'signature', 1: 'text' } },
  { on: library, name: 'structOf', args: [['s'], 'name'], places: { 0: 'array', '0.0': 'signature', 1: 'text' } },
  { on: library, name: 'parseSignature', args: ['s'], places: { 0: 'signature' } },
  { on: library, name: 'pathEscape', args: ['text'], places: { 0: 'text' } },
  { on: library, name: 'pathUnescape', args: ['text'], places: { 0: 'text' } },
  { on: library, name: 'parseMatchRule', args: ["type='signal'"], places: { 0: 'text' } },
  { on: library, name: 'defineInterface', args: [NAME, {}], places: { 0: 'interfaceName', 1: 'options' } },
  { on: library, name: 'implement', args: [Entry, members], places: { 0: 'target', 1: 'options' } },
  { on: library, name: 'describe', args: [Entry], places: { 0: 'target' } },
  { on: library, name: 'parseIntrospection', args: ['<node/>'], places: { 0: 'text' } },
  { on: library, name: 'interfaceDifferences', args: [Entry.description, Entry.description], places: { 0: 'target' } },
  { on: library, name: 'introspectionXml', args: [remote.node], places: { 0: 'target' } },
  { on: library, name: 'variant', args: ['s', 'x'], places: { 0: 'signature' } },
  { on: FileDescriptor, name: 'adopt', args: [0], places: { 0: 'limit' } },
];

/** The methods that source files mark as `@internal` or `protected`. */
function internalsOf(...files: string[]): string[] {
  return files.flatMap((file) => {
    const source = readFileSync(join(projectRoot, 'src', file), 'utf8');
    const marked = source.matchAll(/@internal(?:(?!\*\/)[\s\S])*\*\/\s+(?:async |get )?(\w+)[<(]/g);
    const guarded = source.matchAll(/^ {2}protected (?:override )?(?:async )?(\w+)/gm);
    return [...marked, ...guarded].map(([, name]) => name as string);
  });
}

/**
 * Functions without arguments, or without arguments that could be invalid, or with their own tests of invalid arguments.
 */
const others: readonly [object, readonly string[]][] = [
  // test/bus/monitor.test.ts has the invalid arguments of this one.
  [bus, ['monitor']],
  [bus, ['flush', 'listActivatableNames', 'listNames', 'ref', 'unref', 'reserveSerial', 'stats', 'constructor']],
  [
    bus,
    internalsOf(
      'message-bus.ts',
      'bus/bus.ts',
      'bus/names/named-endpoint.ts',
      'bus/endpoint.ts',
      'bus/connection-user.ts',
    ),
  ],
  [proxy, ['getAll', 'constructor']],
  [proxy.get, ['On']],
  [proxy.call, []],
  [remote, ['all', 'constructor']],
  // Decorators are tested in definition-misuse.test.ts. Classes and tables are not entry points.
  [library, ['method', 'property', 'signal', 'type', 'MessageFlag', 'MessageType']],
  [library, ['sessionBus', 'systemBus', 'inheritedSockets', 'pipe', 'writePcap']],
  // They tell what a value is.
  [library, ['isBusName', 'isErrorName', 'isInterfaceName', 'isMemberName', 'isObjectPath']],
  [library, ['isUniqueName', 'isWellKnownName']],
  [FileDescriptor, ['isFileDescriptor']],
];

const isClass = (value: unknown) =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));

/** The names of an object's functions, including inherited ones. */
function functionsOf(object: object): Set<string> {
  const names = new Set<string>();
  for (let level = object; level !== null && level !== Object.prototype && level !== Function.prototype; ) {
    for (const name of Object.getOwnPropertyNames(level)) {
      const { value, get } = Object.getOwnPropertyDescriptor(level, name) as PropertyDescriptor;
      // The members of a proxy are made when they are first read.
      const member = get !== undefined && Object.getPrototypeOf(level) === null ? (object as never)[name] : value;
      if (typeof member === 'function' && !isClass(member)) names.add(name);
    }
    level = Object.getPrototypeOf(level);
  }
  return names;
}

test('the table names every function that is exported', () => {
  for (const object of [
    bus,
    proxy,
    proxy.call,
    proxy.on,
    proxy.once,
    proxy.watch,
    proxy.get,
    proxy.set,
    remote,
    library,
    FileDescriptor,
  ]) {
    const known = new Set(others.filter(([on]) => on === object).flatMap(([, names]) => names));
    for (const { on, name } of table) if (on === object) known.add(name);
    const unknown = [...functionsOf(object)].filter((name) => !known.has(name) && name !== 'constructor');
    assert.equal(unknown, [], `not in the table: ${unknown} of ${inspect(object).slice(0, 60)}`);
  }
  const entries = new Set(
    table.map(({ on, name }) => (on === library ? name : `${name} of ${inspect(on).slice(0, 20)}`)),
  );
  assert.ok(entries.size >= 30, `${entries.size} entry points`);
});

/** The arguments with another value in one place. */
function withValue(args: readonly unknown[], place: string, value: unknown): unknown[] {
  const [index, ...keys] = place.split('.');
  const copy = [...args];
  let last = keys.pop();
  if (last === undefined) {
    copy[Number(index)] = value;
    return copy;
  }
  let holder: Record<string, unknown> = { ...(copy[Number(index)] as object) };
  copy[Number(index)] = holder;
  for (const key of keys) {
    const inner = { ...(holder[key] as object | undefined) };
    holder[key] = inner;
    holder = inner;
  }
  holder[last] = value;
  last = undefined;
  return copy;
}

/** What the connection holds and has sent; handlers and watchers would change it. */
function effects(): Record<string, unknown> {
  const { messagesReceived: _, bodyBytesReceived: __, calls: ___, unmatchedSignals: ____, ...rest } = bus.stats();
  return { ...rest, batchesReceived: undefined };
}

async function outcomeOf({ on, name }: EntryPoint, args: readonly unknown[]): Promise<unknown> {
  try {
    const result: unknown = (on as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args);
    if (result instanceof Promise) return await settled(result);
    return { returned: result };
  } catch (error) {
    return error;
  }
}

/** Refusals are immediate; an accepted call may take any time, and is not awaited. */
function settled(promise: Promise<unknown>): Promise<unknown> {
  const outcome = promise.then(
    (value) => ({ resolved: value }),
    (error: unknown) => error,
  );
  return Promise.race([outcome, delay(1000, 'nothing yet')]);
}

/** Undoes a call that was accepted by mistake, so that it does not affect the next case. */
async function undo(outcome: unknown): Promise<void> {
  const made =
    (outcome as { returned?: unknown; resolved?: unknown } | null)?.returned ??
    (outcome as { resolved?: unknown })?.resolved;
  if (typeof made !== 'object' || made === null) return;
  if (Symbol.dispose in made) (made as Disposable)[Symbol.dispose]();
  else if (Symbol.asyncDispose in made) await (made as AsyncDisposable)[Symbol.asyncDispose]();
}

for (const entry of table) {
  const { name, args, places } = entry;
  test(`${name}(${Object.keys(places).join(', ').slice(0, 60)})`, async () => {
    const faults: string[] = [];
    for (const [place, kind] of Object.entries(places)) {
      for (const value of badValues) {
        if (accepted[kind](value)) continue;
        await bus.listNames();
        const before = effects();
        const outcome = await outcomeOf(entry, withValue(args, place, value));
        const what = `${name} with ${inspect(value, { depth: 0 })} at ${place}`;
        const after = effects();
        if (!(outcome instanceof InvalidArgumentError))
          faults.push(`${what}: ${inspect(outcome, { depth: 0 }).split('\n')[0]}`);
        else if (inspect(after) !== inspect(before)) faults.push(`${what}: it had an effect`);
        await undo(outcome);
      }
    }
    assert.is(faults.length, 0, faults.join('\n'));
  });
}

test.run();
