// Unknown options, in every function with options: refused, and the error has the most similar known option. The compiler
// lists the options, so that no new option and no new function with options can be forgotten.
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  connect,
  DBusError,
  defineInterface,
  formatMatchRule,
  InvalidArgumentError,
  implement,
  listen,
  type MatchRule,
  MessageType,
  method,
  NameTakenError,
  pair,
  parseIntrospection,
  property,
  ServiceInterface,
  serve,
  sessionBus,
  signal,
} from '../../src/index.js';
import { publicApi } from '../helpers/option-parameters.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';

const test = suite('option keys');
const daemon = await PrivateBus.start();
process.env.DBUS_SESSION_BUS_ADDRESS = daemon.address;
const bus = await connect({ address: daemon.address });
const { found: parameters, disposables } = publicApi();

test.after(async () => {
  await bus.close();
  await daemon.stop();
});

const NAME = 'org.example.Keys';
const Keys = defineInterface(NAME, { methods: { Ask: {} }, signals: { Said: { args: 's' } } });
const contexts: CallContext[] = [];
const proxy = bus.proxy(Keys, 'org.freedesktop.DBus', '/org/freedesktop/DBus');
const exported = bus.export('/caller', implement(Keys, { Ask: (context) => void contexts.push(context) }));
await bus.proxy(Keys, bus.uniqueName, '/caller').call.Ask();
exported.end();
const { caller } = contexts[0] as CallContext;
const busCall = { destination: 'org.freedesktop.DBus', path: '/', interface: 'org.freedesktop.DBus', member: 'GetId' };

/** How each kind of options is passed: to which function, with which other arguments. */
const ways: Readonly<Record<string, (given: object) => unknown>> = {
  MatchRule: (given) => formatMatchRule(given as object & MatchRule),
  SubscriptionRule: (given) => bus.subscribe(given as object & MatchRule, () => {}),
  OnceOptions: (given) => Promise.race([proxy.once.Said({ signal: AbortSignal.abort(), ...given }), bus.listNames()]),
  WatchOptions: (given) => proxy.watch.Said(given),
  ContextOption: (given) => proxy.on.Said(() => {}, { context: true, ...given }),
  'OnceOptions & ContextOption': (given) =>
    Promise.race([proxy.once.Said({ signal: AbortSignal.abort(), context: true, ...given }), bus.listNames()]),
  'WatchOptions & ContextOption': (given) => proxy.watch.Said({ context: true, ...given }),
  MonitorRule: (given) => bus.monitor(given as object & MatchRule),
  MonitorOptions: (given) => bus.monitor([], given),
  CallerCredentialsOptions: (given) => caller.credentials(given),
  ProxyOptions: (given) => proxy.with(given),
  ConnectOptions: (given) => connect({ address: 'unix:path=/nonexistent', ...given }).then((made) => made.close()),
  SharedBusOptions: (given) => sessionBus(given),
  RequestNameOptions: (given) => bus.requestName(NAME, given),
  ObjectOptions: (given) => bus.object('org.freedesktop.DBus', '/', { introspection: '<node/>', ...given }),
  ObjectsOptions: (given) => bus.objects('org.freedesktop.DBus', '/', given),
  LiveOptions: (given) => {
    using view = bus.objects('org.freedesktop.DBus', '/');
    view.of(Keys, given);
  },
  CachedOptions: (given) => bus.cached(Keys, 'org.freedesktop.DBus', '/org/freedesktop/DBus', given),
  MessageHandlerOptions: (given) => bus.addMessageHandler(() => {}, given),
  NameWatcher: (given) => bus.watchName(NAME, given),
  NamesWatcher: (given) => bus.watchNames(NAME, given),
  ConnectionWatcher: (given) => bus.watchConnection(given),
  WaitForNameOptions: (given) => bus.waitForName('org.freedesktop.DBus', given),
  SignalsOptions: (given) => bus.signals(Keys, {}, { Said() {} }, given),
  SignalsRule: (given) => bus.signals(Keys, given as never, { Said() {} }),
  DecodeOptions: async (given) => (await bus.call({ ...busCall, reply: 'message' })).decode(given),
  MethodCall: (given) => bus.call({ ...busCall, ...given }),
  'Omit & MessageReply': (given) => bus.call({ ...busCall, reply: 'message', ...given }),
  CallOptions: (given) => bus.call(busCall, given),
  'CallOptions & MessageReply': (given) => bus.call(busCall, { reply: 'message', ...given }),
  SignalEmission: (given) => bus.emit({ path: '/', interface: NAME, member: 'Said', ...given }),
  OutgoingMessage: (given) =>
    bus.send({ type: MessageType.Signal, path: '/', interface: NAME, member: 'Said', ...given }),
  WaitLimits: (given) => bus.flush(given),
  AnswerLimits: (given) => bus.listNames(given),
  CloseOptions: async (given) => {
    await using closing = await connect({ address: daemon.address });
    await closing.close(given);
  },
  ServerCloseOptions: async (given) => {
    // If the options are refused, the connection is not closed.
    await using server = await listen({ address: 'unix:tmpdir=/tmp' });
    await server.close(given);
  },
  ListenOptions: (given) => listen({ address: 'unix:path=/nonexistent/socket', ...given }),
  ServeOptions: async (given) => {
    await using own = await connect({ address: daemon.address });
    await using _service = await serve(own, { objects: {}, handleSignals: false, notify: false, ...given });
  },
  PairOptions: (given) => pair(given).then((ends) => Promise.all(ends.map((end) => end.close()))),
  DBusErrorOptions: (given) => new DBusError('org.example.Error.Odd', 'text', given),
  NameTakenErrorOptions: (given) => new NameTakenError('text', given),
  ParseIntrospectionOptions: (given) => parseIntrospection('<node/>', given),
  InterfaceMembers: (given) => defineInterface(NAME, given),
  MethodOptions: (given) => method(given),
  PropertyOptions: (given) => property({ type: 's', ...given }),
  SignalOptions: (given) => signal(given),
  SignalDestinationOptions: (given) => implement(Keys, { Ask() {} }).to(bus.uniqueName, given),
  TreeOptions: (given) => bus.exportTree('/trees', { children: () => [], find: () => undefined, ...given }),
  AuthorizeOptions: async (given) => {
    const ask = async (call: CallContext) => call.authorize('org.example.ask', given).catch((error) => error);
    let answer: unknown;
    const object = implement(Keys, {
      Ask: async (call) => {
        answer = await ask(call);
      },
    });
    using _exported = bus.export('/asks', object);
    await bus.proxy(Keys, bus.uniqueName, '/asks').call.Ask();
    throw answer;
  },
  ImplementOptions: (given) => implement(Keys, { Ask: () => {} }, given),
  ServiceInterfaceOptions: (given) =>
    new (class extends ServiceInterface {
      constructor() {
        super({ name: NAME, ...given });
      }
    })(),
};

/** The outcome of a call with the options, without the objects that it made. */
async function outcomeOf(way: (given: object) => unknown, given: object): Promise<unknown> {
  try {
    const made: unknown = await way(given);
    if (typeof made !== 'object' || made === null) return undefined;
    if (Symbol.dispose in made) (made as Disposable)[Symbol.dispose]();
    else if (Symbol.asyncDispose in made) await (made as AsyncDisposable)[Symbol.asyncDispose]();
    return undefined;
  } catch (error) {
    return error;
  }
}

test('this test knows every parameter that takes options', () => {
  assert.ok(parameters.size > 25, `${parameters.size} parameters`);
  const unknown = [...parameters.values()].filter(({ type }) => ways[type] === undefined);
  assert.equal(
    unknown.map(({ type, where }) => `${type} of ${where}`),
    [],
    'say above how these are given, and refuse unknown keys there by KnownOptions',
  );
  assert.equal(
    Object.keys(ways).filter((type) => !parameters.has(type)),
    [],
    'there are no such options any more',
  );
});

for (const [type, { keys }] of parameters) {
  const way = ways[type];
  if (way === undefined) continue;
  test(`${type} has no other keys than ${keys.join(', ')}`.slice(0, 80), async () => {
    assert.ok(keys.length > 0);
    for (const key of keys) {
      const taken = await outcomeOf(way, { [key]: undefined });
      assert.not.match(String(taken), 'takes no', `${key}: undefined`);
      for (const value of [1, undefined]) {
        const refusal = await outcomeOf(way, { [`${key}s`]: value });
        assert.instance(refusal, InvalidArgumentError, `${key}s: ${value}`);
        const text = new RegExp(`takes no [a-z]+ "${key}s"; did you mean ${key}\\?`);
        assert.match((refusal as Error).message, text);
      }
    }
  });
}

test('an unknown option that is similar to none is refused with a list of those that there are', async () => {
  const error = await rejection(connect({ colour: true } as object));
  assert.is(
    (error as Error).message,
    'connect() takes no option "colour"; known: address, fd, socket, host, machine, handshake, bus, peer, anonymous, transport, poller, timeout, and 4 more',
  );
});

test('an unknown key within an option is refused as well', async () => {
  const error = await rejection(connect({ reconnect: { minDelays: 5 } } as object));
  assert.is(
    (error as Error).message,
    'reconnect takes no option "minDelays"; did you mean minDelay? Known: minDelay, maxDelay, attempts',
  );
});

test('keys that every object inherits are not options', async () => {
  for (const key of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const given = JSON.parse(`{ "${key}": 1 }`) as object;
    assert.instance(await rejection(connect(given)), InvalidArgumentError, key);
    assert.throws(() => proxy.with(given), /takes no option/);
  }
});

test('a key that is a symbol is ignored, and not read', async () => {
  assert.ok(proxy.with({ [Symbol('note')]: 1, timeout: 5 } as object));
});

test('for an option name of dbus-next, the error has the name in busbar', () => {
  const texts: readonly [() => unknown, string][] = [
    [() => method({ inSignature: 's' } as object), '@method() takes no option "inSignature": it is called "in" here'],
    [
      () => method({ outSignature: 's' } as object),
      '@method() takes no option "outSignature": it is called "out" here',
    ],
    [() => signal({ signature: 's' } as object), '@signal() takes no option "signature": it is called "args" here'],
    [
      () => property({ signature: 's' } as unknown as { type: 's' }),
      '@property() takes no option "signature": it is called "type" here',
    ],
    [
      () => defineInterface(NAME, { methods: { Ask: { inSignature: 's' } } } as object),
      `interface ${NAME}: method "Ask": a method takes no option "inSignature": it is called "in" here`,
    ],
  ];
  for (const [define, text] of texts) assert.throws(define, ({ message }: Error) => message === text, text);
});

test('an unknown choice is refused with a list of the choices, also in environment variables', async () => {
  const options: readonly [object, string][] = [
    [{ transport: 'nope' }, 'transport: expected sd-bus or socket, got "nope"'],
    [{ poller: 'nope' }, 'poller: expected uv or thread, got "nope"'],
    [{ bus: 'sesion' }, 'bus: expected session or system or starter, got "sesion"'],
  ];
  for (const [given, text] of options) assert.is(((await rejection(connect(given))) as Error).message, text);
  const { BUSBAR_TRANSPORT, BUSBAR_POLLER } = process.env;
  const variables = {
    BUSBAR_TRANSPORT: 'BUSBAR_TRANSPORT: expected sd-bus or socket, got "nope"',
    BUSBAR_POLLER: 'BUSBAR_POLLER: expected uv or thread, got "nope"',
  };
  for (const [variable, text] of Object.entries(variables)) {
    process.env[variable] = 'nope';
    try {
      for (const attempt of [connect({ address: daemon.address }), listen({ address: 'unix:tmpdir=/tmp' })]) {
        const error = await rejection(attempt);
        assert.instance(error, InvalidArgumentError);
        assert.is((error as Error).message, text);
      }
    } finally {
      Object.assign(process.env, { BUSBAR_TRANSPORT, BUSBAR_POLLER });
      if (BUSBAR_TRANSPORT === undefined) delete process.env.BUSBAR_TRANSPORT;
      if (BUSBAR_POLLER === undefined) delete process.env.BUSBAR_POLLER;
    }
  }
});

test('the context of a handler refuses unknown options of decode as a message does', async () => {
  let refusal: unknown;
  const decodes = defineInterface('org.example.Decodes', { methods: { Ask: { in: 'v' } } });
  const ask = (_value: unknown, context: CallContext) => {
    refusal = undefined;
    try {
      context.decode({ variant: 'wrap' } as object);
    } catch (error) {
      refusal = error;
    }
  };
  using _exported = bus.export('/decodes', implement(decodes, { Ask: ask }));
  await bus.proxy(decodes, bus.uniqueName, '/decodes').call.Ask('x');
  assert.match(String(refusal), 'decode() takes no option "variant"; did you mean variants?');
});

test('misspelt functions of a watcher and of a property are refused; an instance may have other members', () => {
  assert.throws(
    () => bus.watchName(NAME, { apeared() {} } as object),
    ({ message }: Error) =>
      message === 'watchName() takes no function "apeared"; did you mean appeared? Known: appeared, vanished, refused',
  );
  class Watcher {
    owners: string[] = [];
    appeared = (owner: string) => void this.owners.push(owner);
  }
  bus.watchName(NAME, new Watcher())[Symbol.dispose]();
  const Level = defineInterface('org.example.Level', { properties: { Level: { type: 'u' } } });
  assert.throws(
    () => implement(Level, { Level: { get: () => 1, sett() {} } as never }),
    /the property Level takes no function "sett"; did you mean set\?/,
  );
});

test('subclasses may pass their own options to an error', () => {
  class Busy extends DBusError {
    readonly seconds: number;
    constructor(options: { readonly seconds: number }) {
      super('org.example.Error.Busy', 'later', options as object);
      this.seconds = options.seconds;
    }
  }
  assert.is(new Busy({ seconds: 5 }).seconds, 5);
});

test('disposable objects have one other verb: end if it is immediate, close or release if it is asynchronous', () => {
  assert.ok(disposables.size >= 8, `${[...disposables.keys()]}`);
  for (const [type, { how, members }] of disposables) {
    const verbs = members.filter((name) =>
      ['end', 'close', 'release', 'unsubscribe', 'unexport', 'stop'].includes(name),
    );
    // Closing a descriptor has nothing to await.
    const right =
      type === 'FileDescriptor'
        ? ['close']
        : how === 'dispose'
          ? ['end']
          : type === 'OwnedName'
            ? ['release']
            : ['close'];
    assert.equal(verbs, right, type);
  }
});

test('the list of the options of call begins with the fields of a message', async () => {
  const refusal = await rejection(bus.call({ ...busCall, retries: 3 } as typeof busCall));
  const fields = 'destination, path, interface, member, signature, body, fileDescriptors, reply, serial';
  assert.match((refusal as Error).message, `call() takes no option "retries"; known: ${fields}, `);
});

test('the choices in the error are those that are accepted', async () => {
  const odd = { variants: 'wrapp' } as object;
  const outermost = { variants: 'outermost' } as object;
  const text = (given: string) => `variants: expected plain or wrap or keep, got "${given}"`;
  assert.is((thrown(() => proxy.with(odd)) as Error).message, text('wrapp'));
  assert.is((thrown(() => proxy.with(outermost)) as Error).message, text('outermost'));
  assert.is(((await rejection(bus.call(busCall, outermost))) as Error).message, text('outermost'));
  const reply = await bus.call({ ...busCall, reply: 'message' });
  assert.is((thrown(() => reply.decode(outermost)) as Error).message, text('outermost'));
});

test('the error of values without a signature says so, and nothing is sent', async () => {
  const text = (values: string) =>
    `signature: required, because body has ${values}: give their types, as in { signature: 's' }`;
  const before = await bus.call({ ...busCall, reply: 'message' });
  assert.is(((await rejection(bus.call({ ...busCall, body: ['a'] }))) as Error).message, text('a value'));
  const said = { path: '/', interface: NAME, member: 'Said', body: ['a', 5] };
  assert.is((thrown(() => bus.emit(said)) as Error).message, text('2 values'));
  assert.is((thrown(() => bus.send({ type: MessageType.Signal, ...said })) as Error).message, text('2 values'));
  const after = await bus.call({ ...busCall, body: [], reply: 'message' });
  assert.is(after.replySerial, (before.replySerial as number) + 1);
});

test('objects that end do so once, by either method, and inspect shows them in a few words', async () => {
  const level = implement(defineInterface('org.example.Level', { properties: { Level: { type: 'u' } } }), { Level: 1 });
  const held = bus.stats().subscriptions;
  const began = {
    subscription: bus.subscribe({ member: 'Said' }, () => {}),
    export: bus.export('/ends', level),
    'watched name': bus.watchName(NAME, {}),
    'message handler': bus.addMessageHandler(() => {}),
  };
  for (const [what, handle] of Object.entries(began)) {
    assert.ok(inspect(handle).startsWith(`${what} { `), inspect(handle));
    const { end } = handle;
    end();
    handle.end();
    handle[Symbol.dispose]();
  }
  const { subscriptions, exportedObjects } = bus.stats();
  assert.equal([subscriptions, exportedObjects], [held, 0]);
  const loop = proxy.watch.Said();
  loop.end();
  assert.equal(await loop.next(), { value: undefined, done: true });
});

test.run();
