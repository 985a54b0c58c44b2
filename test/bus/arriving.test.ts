// Received values have the described types: typed proxies refuse values of other types, and untyped proxies accept them.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { openSync } from 'node:fs';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  describe,
  type Emits,
  FileDescriptor,
  InvalidArgumentError,
  InvalidReplyError,
  implement,
  type Message,
  type MessageBus,
  MessageType,
  method,
  type Problem,
  ProtocolError,
  type ProxyOf,
  property,
  ServiceInterface,
  signal,
  Variant,
} from '../../src/index.js';
import { bodies, signatures, singleBodies, singleTypes } from '../helpers/arbitrary-bodies.js';
import { assertFdsLeft, openFds } from '../helpers/open-fds.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('arriving');
const NAME = 'org.example.Fickle';
const PATH = '/fickle';
const PROPERTIES = 'org.freedesktop.DBus.Properties';

type Body = readonly [signature: string, values: readonly unknown[]];

/** A service that answers every call with a given reply, and a client of it. */
class Fickle implements AsyncDisposable {
  answer: Body = ['', []];
  readonly daemon: PrivateBus;
  readonly service: MessageBus;
  readonly client: MessageBus;

  private constructor(daemon: PrivateBus, service: MessageBus, client: MessageBus) {
    this.daemon = daemon;
    this.service = service;
    this.client = client;
  }

  static async start(kind: 'dbus-daemon' | 'dbus-broker' = 'dbus-daemon'): Promise<Fickle> {
    const daemon = await PrivateBus.start({ daemon: kind });
    const { address } = daemon;
    const fickle = new Fickle(daemon, await connect({ address }), await connect({ address }));
    fickle.service.addMessageHandler((message) => fickle.#reply(message));
    fickle.service.export('/', implement(defineInterface('org.example.None', {}), {}));
    await fickle.service.requestName(NAME);
    return fickle;
  }

  #reply({ type, sender, serial }: Message): boolean {
    if (type !== MessageType.MethodCall) return false;
    const [signature, body] = this.answer;
    const reply = { type: MessageType.MethodReturn, destination: sender, replySerial: serial };
    this.service.send({ ...reply, signature, body });
    return true;
  }

  emit(signature: string, body: readonly unknown[], member = 'S', interfaceName = NAME): void {
    this.service.emit({ path: PATH, interface: interfaceName, member, signature, body });
  }

  change(interfaceName: string, changed: object, invalidated: readonly string[] = []): void {
    this.emit('sa{sv}as', [interfaceName, changed, invalidated], 'PropertiesChanged', PROPERTIES);
  }

  /** Resolves when everything that was sent before has been delivered. */
  async settled(): Promise<void> {
    this.answer = ['', []];
    await this.client.call({ destination: NAME, path: '/', member: 'Ping' });
  }

  proxy(members: object) {
    const definition = defineInterface(NAME, members as { methods: { M: { out: string } } });
    return this.client.proxy(definition, NAME, PATH) as unknown as Loose;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.service.close(), this.client.close()]);
    await this.daemon.stop();
  }
}

/** The part of a proxy that tests of random descriptions use. */
type Loose = Omit<ProxyOf<ReturnType<typeof describe>>, 'call' | 'on' | 'once' | 'watch' | 'get' | 'with'> & {
  readonly call: { M(): Promise<unknown> };
  readonly on: { S(listener: (...values: unknown[]) => void): { ready: Promise<void>; end(): void } };
  readonly once: { S(): Promise<unknown[]> };
  readonly watch: { S(): AsyncIterableIterator<unknown[]> & Disposable };
  readonly get: { P(): Promise<unknown> };
  with(options: object): Loose;
};

const oneOrAll = (values: readonly unknown[]) => (values.length > 1 ? values : values[0]);

/** Collects the warnings of the process and the reported problems from now on. */
class Told implements Disposable {
  readonly warnings: { readonly code?: string; readonly message: string; readonly detail?: string }[] = [];
  readonly problems: Problem[] = [];
  readonly #warned = (warning: Error) => this.warnings.push(warning as never);
  readonly #published = (problem: unknown) => this.problems.push(problem as Problem);

  constructor(subscribes: boolean) {
    process.on('warning', this.#warned);
    if (subscribes) subscribe('busbar:problem', this.#published);
  }

  [Symbol.dispose](): void {
    process.off('warning', this.#warned);
    unsubscribe('busbar:problem', this.#published);
  }
}

/** sd-bus refuses Unicode noncharacters, because it does not take them for text, and signatures of 255 bytes. */
const isCarried = ({ body: [signature, values] }: { body: Body }): boolean =>
  process.env.BUSBAR_TRANSPORT !== 'sd-bus' ||
  (signature.length < 200 &&
    !/\p{Noncharacter_Code_Point}/u.test(inspect(values, { depth: Number.POSITIVE_INFINITY })));

/** Often a signature other than the described one, but the described one often enough. */
const pairs: fc.Arbitrary<{ described: string; body: Body }> = fc
  .oneof(
    bodies.map((body) => ({ described: body[0], body })),
    fc.record({ described: signatures, body: bodies }),
  )
  .filter(isCarried);
const propertyPairs: fc.Arbitrary<{ described: string; body: Body }> = fc
  .oneof(
    singleBodies.map((body) => ({ described: body[0], body })),
    fc.record({ described: singleTypes, body: singleBodies }),
  )
  .filter(isCarried);
const wrapped = { variants: 'wrap' } as const;

for (const kind of ['dbus-daemon', 'dbus-broker'] as const) {
  const missing = PrivateBus.missing({ daemon: kind });

  testUnless(
    missing,
    test,
    `a reply is accepted exactly when its signature is the described one: ${kind}`,
    async () => {
      await using fickle = await Fickle.start(kind);
      await fc.assert(
        fc.asyncProperty(pairs, async ({ described, body }) => {
          fickle.answer = body;
          const proxy = fickle.proxy({ methods: { M: { out: described } } }).with(wrapped);
          if (described === body[0]) assert.equal(await proxy.call.M(), oneOrAll(body[1]));
          else {
            const error = await rejection(proxy.call.M());
            assert.instance(error, InvalidReplyError);
            const text = `the reply has the signature "${body[0]}", not "${described}" as described (${NAME} ${PATH} ${NAME}.M)`;
            assert.is(error.message, text);
          }
          assert.equal(await proxy.with({ loose: true }).call.M(), oneOrAll(body[1]));
        }),
        { numRuns: 60 },
      );
    },
  );

  testUnless(
    missing,
    test,
    `a signal is accepted exactly when its signature is the described one: ${kind}`,
    async () => {
      await using fickle = await Fickle.start(kind);
      using _told = new Told(true);
      await fc.assert(
        fc.asyncProperty(pairs, async ({ described, body }) => {
          const proxy = fickle.proxy({ signals: { S: { args: described } } }).with(wrapped);
          const heard: unknown[][] = [];
          const loosely: unknown[][] = [];
          const strict = proxy.on.S((...values) => heard.push(values));
          const loose = proxy.with({ loose: true }).on.S((...values) => loosely.push(values));
          await Promise.all([strict.ready, loose.ready]);
          fickle.emit(...body);
          await fickle.settled();
          assert.equal(heard, described === body[0] ? [body[1]] : []);
          assert.equal(loosely, [body[1]]);
          strict.end();
          loose.end();
        }),
        { numRuns: 60 },
      );
    },
  );

  testUnless(
    missing,
    test,
    `a property is accepted exactly when it is of the described type, or the described type is v: ${kind}`,
    async () => {
      await using fickle = await Fickle.start(kind);
      using _told = new Told(true);
      await fc.assert(
        fc.asyncProperty(propertyPairs, async ({ described, body: [signature, [value]] }) => {
          const proxy = fickle.proxy({ properties: { P: { type: described }, Q: { type: 's' } } }).with(wrapped);
          const sent = new Variant(signature, value as never);
          const fits = described === signature || described === 'v';
          const read = described === 'v' && signature !== 'v' ? sent : value;
          fickle.answer = ['v', [sent]];
          if (fits) assert.equal(await proxy.get.P(), read);
          else {
            const { message } = await rejectionOfReply(proxy.get.P());
            const text = `the property ${NAME}.P has the signature "${signature}", not "${described}" as described`;
            assert.is(message, `${text} (${NAME} ${PATH} ${PROPERTIES}.Get)`);
          }
          assert.equal(await proxy.with({ loose: true }).get.P(), read);

          fickle.answer = ['a{sv}', [{ P: sent, Q: 'text', Further: new Variant('u', 5) }]];
          const all = { P: read, Q: 'text', Further: 5 };
          if (fits) assert.equal(await proxy.getAll(), all);
          else
            assert.match(
              (await rejectionOfReply(proxy.getAll())).message,
              `has the signature "${signature}", not "${described}"`,
            );
          assert.equal(await proxy.with({ loose: true }).getAll(), all);

          const changes: unknown[] = [];
          const subscription = proxy.onChange((changed, invalidated) => changes.push([changed, invalidated]));
          await subscription.ready;
          fickle.change(NAME, { P: sent, Q: 'text' });
          fickle.change(NAME, { P: sent });
          fickle.change(NAME, { P: sent }, ['Q']);
          await fickle.settled();
          const each = [{ P: read, Q: 'text' }, { P: read }, { P: read }].map((changed, index) => [
            changed,
            index === 2 ? ['Q'] : [],
          ]);
          const others = [
            [{ Q: 'text' }, []],
            [{}, ['Q']],
          ];
          assert.equal(changes, fits ? each : others);
          subscription.end();
        }),
        { numRuns: 60 },
      );
    },
  );
}

async function rejectionOfReply(promise: Promise<unknown>): Promise<Error> {
  const error = await rejection(promise);
  assert.instance(error, InvalidReplyError);
  assert.instance(error, ProtocolError);
  assert.not.instance(error, InvalidArgumentError);
  return error;
}

const Described = defineInterface(NAME, {
  methods: { M: { out: 'u' }, Nothing: {}, Two: { out: 'us' } },
  signals: { S: { args: 'u' } },
  properties: { P: { type: 'u' } },
});

class DescribedByClass extends ServiceInterface {
  constructor() {
    super(NAME);
  }
  @method({ out: 'u' })
  M(): number {
    return 0;
  }
  @signal({ args: 'u' })
  S(value: number): Emits<number> {
    return value;
  }
  @property({ type: 'u' })
  accessor P = 0;
}

const implementation = implement(Described, { M: () => 0, Nothing() {}, Two: () => [0, ''], P: 0 });

test('a proxy of a class, an instance, a definition or an implementation checks types; a proxy of introspection data does not', async () => {
  await using fickle = await Fickle.start();
  const { client } = fickle;
  fickle.answer = ['s', ['five']];
  for (const what of [DescribedByClass, new DescribedByClass(), Described, implementation]) {
    const proxy = client.proxy(what as typeof Described, NAME, PATH);
    await rejectionOfReply(proxy.call.M());
    assert.is(await proxy.with({ loose: true }).call.M(), 'five' as never);
    await rejectionOfReply(proxy.with({ loose: true }).with({ loose: false }).call.M());
  }
  const description = describe(Described);
  const data = client.proxy(description, NAME, PATH);
  const node = { path: PATH, interfaces: new Map([[NAME, description]]), children: new Map() };
  const object = await client.object(NAME, PATH, { introspection: node });
  for (const proxy of [data, object.interface(NAME)]) {
    assert.is(await proxy.call.M?.(), 'five');
    await rejectionOfReply(proxy.with({ loose: false }).call.M?.() as Promise<unknown>);
  }
  const wrong = thrown(() => data.with({ loose: 'yes' as never }));
  assert.instance(wrong, InvalidArgumentError);
  assert.match(wrong.message, 'loose: expected a boolean');
});

test('no value, one value and several values are distinguished; a call without a reply checks nothing', async () => {
  await using fickle = await Fickle.start();
  const proxy = fickle.client.proxy(Described, NAME, PATH);
  const { call } = proxy;
  fickle.answer = ['u', [5]];
  assert.is(await call.M(), 5);
  assert.match(
    (await rejectionOfReply(call.Nothing())).message,
    'the reply has the signature "u", not "" as described',
  );
  assert.match((await rejectionOfReply(call.Two())).message, 'the reply has the signature "u", not "us" as described');
  fickle.answer = ['us', [5, 'six']];
  assert.equal(await call.Two(), [5, 'six']);
  await rejectionOfReply(call.M());
  fickle.answer = ['', []];
  assert.is(await call.Nothing(), undefined);
  await rejectionOfReply(call.M());
  await rejectionOfReply(proxy.getAll());
  assert.is(await proxy.with({ noReply: true }).call.M(), undefined as never);
});

test('a reply to Get or GetAll with another signature than v or a{sv} is refused', async () => {
  await using fickle = await Fickle.start();
  const proxy = fickle.client.proxy(Described, NAME, PATH);
  for (const body of [
    ['u', [5]],
    ['', []],
    ['vv', [new Variant('u', 5), new Variant('u', 6)]],
  ] as const) {
    fickle.answer = body;
    assert.match((await rejectionOfReply(proxy.get.P())).message, `the reply has the signature "${body[0]}", not "v"`);
    assert.match(
      (await rejectionOfReply(proxy.getAll())).message,
      `the reply has the signature "${body[0]}", not "a{sv}"`,
    );
  }
});

test('a signal of another signature is dropped, with one warning; code that awaits a signal gets the next valid one', async () => {
  await using fickle = await Fickle.start();
  using told = new Told(false);
  const proxy = fickle.client.proxy(Described, NAME, PATH);
  const heard: unknown[] = [];
  const subscriptions = [proxy.on.S((value) => heard.push(value)), proxy.on.S(() => {})];
  const next = proxy.once.S();
  const loop = proxy.watch.S();
  await Promise.all(subscriptions.map(({ ready }) => ready));
  for (const body of [
    ['s', ['five']],
    ['', []],
    ['uu', [1, 2]],
    ['u', [6]],
    ['s', ['seven']],
  ] satisfies Body[]) {
    fickle.emit(body[0], body[1]);
  }
  await fickle.settled();
  assert.equal(heard, [6]);
  assert.equal(await next, [6]);
  assert.equal((await loop.next()).value, [6]);
  loop[Symbol.dispose]();
  await until(() => told.warnings.length > 0);
  assert.is(told.warnings.length, 1);
  const [{ code, message, detail = '' }] = told.warnings as [Told['warnings'][number]];
  assert.is(code, 'BUSBAR_DROPPED');
  const text = `the signal ${NAME}.S has the signature "s", not "u" as described: it is dropped (${NAME} ${PATH})`;
  assert.is(message, text);
  assert.match(detail, 'with({ loose: true })');
  for (const subscription of subscriptions) subscription.end();
});

test('if problems have a subscriber, dropped signals are reported once for each member of a proxy, without a warning', async () => {
  await using fickle = await Fickle.start();
  using told = new Told(true);
  const first = fickle.client.proxy(Described, NAME, PATH);
  const second = fickle.client.proxy(Described, NAME, PATH);
  const subscriptions = [first, first.with({ timeout: 1000 }), second].flatMap((proxy) => [
    proxy.on.S(() => {}),
    proxy.onChange(() => {}),
  ]);
  await Promise.all(subscriptions.map(({ ready }) => ready));
  for (let count = 0; count < 3; count++) {
    fickle.emit('s', ['five']);
    fickle.change(NAME, { P: new Variant('s', 'five') });
  }
  await fickle.settled();
  const { connection } = fickle.client.stats();
  assert.equal(
    told.problems.map((problem) => [problem.kind, problem.connection, problem.message.split(' has the')[0]]),
    [`the signal ${NAME}.S`, `the signal ${NAME}.S`, `a change of ${NAME}.P`, `a change of ${NAME}.P`].map((what) => [
      'misfit',
      connection,
      what,
    ]),
  );
  assert.equal(told.warnings, []);
});

test('every proxy drops a PropertiesChanged of another signature, and no listener gets undefined', async () => {
  await using fickle = await Fickle.start();
  using told = new Told(true);
  const proxy = fickle.client.proxy(Described, NAME, PATH);
  const heard: unknown[] = [];
  const subscriptions = [proxy, proxy.with({ loose: true }), fickle.client.proxy(describe(Described), NAME, PATH)].map(
    (each) => each.onChange((changed, invalidated) => heard.push([changed, invalidated])),
  );
  await Promise.all(subscriptions.map(({ ready }) => ready));
  const odd = [
    ['sa{sv}', [NAME, {}]],
    ['s', [NAME]],
    ['sa{ss}as', [NAME, { P: '5' }, []]],
    ['sa{sv}ass', [NAME, {}, [], '']],
  ] as const;
  for (const [signature, body] of odd) fickle.emit(signature, body, 'PropertiesChanged', PROPERTIES);
  await fickle.settled();
  assert.equal(heard, []);
  assert.equal([...new Set(told.problems.map(({ kind }) => kind))], ['misfit']);
  fickle.change(NAME, { P: new Variant('u', 5) }, ['P']);
  await fickle.settled();
  assert.equal(heard, [
    [{ P: 5 }, ['P']],
    [{ P: 5 }, ['P']],
    [{ P: 5 }, ['P']],
  ]);
});

test('file descriptors of refused messages are closed', async () => {
  await using fickle = await Fickle.start();
  using told = new Told(true);
  const proxy = fickle.client.proxy(Described, NAME, PATH);
  const before = openFds();
  const subscriptions = [proxy.on.S(() => {}), proxy.onChange(() => {})];
  const loop = proxy.watch.S();
  void proxy.once.S().catch(() => {});
  await Promise.all(subscriptions.map(({ ready }) => ready));
  using file = FileDescriptor.adopt(openSync('/dev/null', 'r'));
  const sent = new Variant('h', file);
  for (let count = 0; count < 5; count++) {
    fickle.answer = ['h', [file]];
    await rejectionOfReply(proxy.call.M());
    fickle.answer = ['v', [sent]];
    await rejectionOfReply(proxy.get.P());
    fickle.answer = ['vh', [new Variant('u', 5), file]];
    await rejectionOfReply(proxy.get.P());
    fickle.answer = ['a{sv}', [{ P: sent, Further: sent }]];
    await rejectionOfReply(proxy.getAll());
    fickle.emit('h', [file]);
    fickle.change(NAME, { P: sent });
  }
  await fickle.settled();
  loop[Symbol.dispose]();
  await assertFdsLeft(before, 1);
  assert.is(told.problems.filter(({ kind }) => kind === 'descriptor').length, 0);
});

test('introspection data that cannot be parsed, or is not a string, is an invalid reply', async () => {
  await using fickle = await Fickle.start();
  for (const body of [
    ['s', ['no XML']],
    ['s', ['']],
    ['s', ['<interface/>']],
    ['', []],
    ['ay', [[1]]],
    ['ss', ['<node/>', '<node/>']],
    ['v', [new Variant('s', '<node/>')]],
  ] as const) {
    fickle.answer = body;
    const { message } = await rejectionOfReply(fickle.client.object(NAME, PATH));
    assert.ok(message.endsWith(`(${NAME} ${PATH} org.freedesktop.DBus.Introspectable.Introspect)`), message);
  }
  assert.instance(await rejection(fickle.client.object(NAME, PATH, { introspection: '<' })), InvalidArgumentError);
});

test.run();
