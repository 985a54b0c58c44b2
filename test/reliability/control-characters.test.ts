// Text of other processes does not reach a terminal unescaped: in every error, warning, problem and inspected object of
// busbar, control sequences are escaped.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ConnectionEvent,
  connect,
  DBusError,
  defineInterface,
  implement,
  type Message,
  type MessageBus,
  MessageType,
  type Problem,
  Variant,
} from '../../src/index.js';
import { folder, peers } from '../helpers/peers.js';
import { rejection, thrown } from '../helpers/rejection.js';

const test = suite('control characters');
/** The title of a window, colours, an end of line, C1 controls, and the ends of lines of Unicode. */
const NASTY = '\x1b]0;owned\x07\x1b[31mred\r\n\x7f\x9b2J\u2028x';
/** The part that XML can contain. */
const NASTY_XML = '\x7f\x9b2J\u2028x';
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is them that are looked for
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f]/;
const LINE_ENDS = /[\n\u2028\u2029]/;

/** A text of one line, unless it is from `inspect` or lists the addresses that were tried. */
function assertHarmless(text: string, what: string, isOneLine = true): void {
  assert.not.match(text, CONTROLS, `${what}: ${JSON.stringify(text)}`);
  if (isOneLine) assert.not.match(text, LINE_ENDS, `${what}: ${JSON.stringify(text)}`);
}

function assertErrorHarmless(error: Error, what: string, isOneLine = true): void {
  assert.instance(error, DBusError, what);
  assertHarmless(error.message, what, isOneLine);
  assertHarmless(inspect(error), what, false);
}

const Interface = defineInterface('org.example.Nasty', {
  methods: { M: { in: 's', out: 's' }, Fail: {} },
  properties: { P: { type: 's' } },
});

/** Both ends of a connection, and the texts that are reported meanwhile. */
async function told(run: (client: MessageBus, server: MessageBus) => Promise<void>): Promise<void> {
  const texts: string[] = [];
  const listen = (problem: unknown) => texts.push((problem as Problem).message);
  const warned = ({ message, detail }: Error & { detail?: string }) =>
    texts.push(message, ...(detail ?? '').split('\n'));
  subscribe('busbar:problem', listen);
  process.on('warning', warned);
  try {
    await using pair = await peers();
    await run(pair.client, pair.accepted);
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    unsubscribe('busbar:problem', listen);
    process.off('warning', warned);
  }
  for (const text of texts) assertHarmless(text, 'what was told');
}

const object = { path: '/nasty' };

test('the text of an error', () =>
  told(async (client, server) => {
    using _handler = server.addMessageHandler(({ type, serial }: Message) => {
      if (type !== MessageType.MethodCall) return false;
      const answer = { type: MessageType.Error, errorName: 'org.example.Nasty', replySerial: serial };
      server.send({ ...answer, signature: 'sa{sv}', body: [NASTY, { [NASTY]: NASTY }] });
      return true;
    });
    const error = (await rejection(client.call({ ...object, member: 'M' }))) as DBusError;
    assertErrorHarmless(error, 'an answer');
    assert.is(error.body[0], NASTY);
  }));

test('names of interfaces and properties that a caller chose, and values', () =>
  told(async (client, server) => {
    const module = implement(Interface, {
      M: (text) => text,
      Fail() {
        throw new Error(NASTY);
      },
      P: 'x',
    });
    server.export('/nasty', module);
    const properties = { ...object, interface: 'org.freedesktop.DBus.Properties' };
    for (const [member, signature, body] of [
      ['Get', 'ss', ['org.example.Nasty', NASTY]],
      ['Get', 'ss', [NASTY, 'P']],
      ['GetAll', 's', [NASTY]],
      ['Set', 'ssv', ['org.example.Nasty', NASTY, new Variant('s', 'x')]],
      ['Set', 'ssv', ['org.example.Nasty', 'P', new Variant('u', 5)]],
    ] as const) {
      const reply = await rejection(client.call({ ...properties, member, signature, body }));
      assertErrorHarmless(reply, `${member} ${JSON.stringify(body)}`);
    }
    const proxy = client.proxy(Interface, '/nasty');
    assertErrorHarmless(await rejection(proxy.call.Fail()), 'a failure');
    assert.is(await proxy.call.M(NASTY), NASTY);
    assertErrorHarmless(
      thrown(() => module.emitPropertiesChanged({ [NASTY]: 1 } as never)),
      'an invalid PropertiesChanged',
    );
    const { body } = await client.call({ ...object, member: 'M', signature: 's', body: [NASTY], reply: 'message' });
    assertHarmless(inspect(body), 'a body', false);
    const values = { ...object, member: 'M', signature: 'a{sa{su}}', body: [{ [NASTY]: { [NASTY]: NASTY } }] };
    assertErrorHarmless(await rejection(client.call(values)), 'a value within keys that came from elsewhere');
    assertHarmless(inspect(new Variant('a{sv}', { [NASTY]: NASTY })), 'a variant', false);
  }));

test('introspection data, and members that it describes', () =>
  told(async (client, server) => {
    let xml = '';
    let answer: readonly [string, readonly unknown[]] = ['v', [new Variant('u', 5)]];
    using _handler = server.addMessageHandler(({ type, serial, member }: Message) => {
      if (type !== MessageType.MethodCall) return false;
      const [signature, body] = member === 'Introspect' ? (['s', [xml]] as const) : answer;
      server.send({ type: MessageType.MethodReturn, replySerial: serial, signature, body });
      return true;
    });
    const name = NASTY_XML;
    xml = `<node><interface name="a.b">
      <property name="${name}" type="s" access="read"/><property name="${name}1" type="${name}" access="read"/>
      <property name="${name}2" type="s" access="${name}"/><method name="${name}"/><signal name="S"><arg type="${name}"/></signal>
      <method name="M"><arg type="s" direction="${name}"/></method>
      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="${name}"/>
      </interface><interface name="${name}"/><node name="${name}"/></node>`;
    const described = await client.object('/nasty');
    assertHarmless(inspect(described, { depth: 9 }), 'an object', false);
    const proxy = described.interface('a.b');
    assertHarmless(inspect(proxy, { depth: 9, showHidden: true }), 'a proxy', false);
    for (const members of [proxy.get, proxy.call, proxy.on]) assertHarmless(inspect(members), 'members of a proxy');
    const strict = proxy.with({ loose: false });
    assertErrorHarmless(await rejection(strict.get[name]?.() as Promise<unknown>), 'a property of another type');
    answer = ['a{sv}', [{ [name]: new Variant('u', 5), [NASTY]: NASTY }]];
    assertErrorHarmless(await rejection(strict.getAll()), 'properties of another type');
    const all = await proxy.getAll();
    assertHarmless(inspect(all), 'properties', false);
    for (const use of [
      () => proxy.get[`${name}z`]?.(),
      () => proxy.call[`${name}z`]?.(),
      () => described.interface('a.c'),
    ]) {
      try {
        use();
      } catch (error) {
        assertHarmless((error as Error).message, 'a member that there is not');
      }
    }
    for (const broken of [
      `<node><${NASTY}/></node>`,
      `<n${NASTY_XML}/>`,
      NASTY,
      `<node>&${NASTY_XML};</node>`,
      `<${'é'}/>`,
    ]) {
      xml = broken;
      assertErrorHarmless(await rejection(client.object('/nasty')), broken);
    }
  }));

test('the text that a server sends before it speaks D-Bus', async () => {
  const events: ConnectionEvent[] = [];
  const listen = (event: unknown) => events.push(event as ConnectionEvent);
  subscribe('busbar:connection', listen);
  for (const [index, words] of [
    `REJECTED ${NASTY}\r\n`,
    `${NASTY}\r\n`,
    `ERROR "${NASTY}"\r\n`,
    `OK ${NASTY}\r\n`,
  ].entries()) {
    const path = join(folder, `nasty-${index}`);
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.end(words));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    for (const peer of [false, true]) {
      assertErrorHarmless(await rejection(connect({ address: `unix:path=${path}`, peer })), words, false);
    }
    server.close();
  }
  unsubscribe('busbar:connection', listen);
  assert.ok(events.some(({ failure }) => failure !== undefined));
  for (const { failure } of events) assertHarmless(failure?.detail ?? '', 'the detail of a failure');
});

test.run();
