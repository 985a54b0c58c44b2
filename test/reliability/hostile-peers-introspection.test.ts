// Objects with hostile introspection data, or that do not behave as they describe: introspecting them costs little and ends
// with an error or a description.
import { subscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  DBusError,
  InvalidArgumentError,
  InvalidReplyError,
  MessageType,
  type Problem,
  UnknownInterfaceError,
} from '../../src/index.js';
import { patience } from '../helpers/patience.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';

const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const liar = await connect({ address: daemon.address });
const test = suite('hostile introspection data');

const problems: Problem[] = [];
subscribe('busbar:problem', (problem) => void problems.push(problem as Problem));

/** The answers of the service to every call. */
let answer: { readonly signature: string; readonly body: readonly unknown[] };
liar.addMessageHandler((message) => {
  if (message.type !== MessageType.MethodCall) return false;
  const { sender: destination, serial: replySerial } = message;
  liar.send({ type: MessageType.MethodReturn, destination, replySerial, ...answer });
  return true;
});

test.before.each(() => {
  problems.length = 0;
});
test.after(async () => {
  await client.close();
  await liar.close();
  await daemon.stop();
});

function introspect(xml: string) {
  answer = { signature: 's', body: [xml] };
  return client.object(liar.uniqueName as string, '/');
}

/** The milliseconds that a refusal may take, generously; parsing 10 MB naively takes longer. */
const QUICK = 3000;

const nested = (element: string, depth: number) => `<${element}>`.repeat(depth) + `</${element}>`.repeat(depth);
const entities = Array.from(
  { length: 20 },
  (_, i) => `<!ENTITY l${i} "${i === 0 ? 'lol' : `&l${i - 1};`.repeat(10)}">`,
);

for (const [what, xml] of [
  ['an entity bomb', `<!DOCTYPE node [${entities.join('')}]><node><interface name="a.b&l19;"/></node>`],
  ['an external entity', '<!DOCTYPE node [<!ENTITY x SYSTEM "file:///etc/passwd">]><node name="&x;"/>'],
  ['10 MB of elements', `<node>${'<interface name="a.b"/>'.repeat(450_000)}</node>`],
  ['10 MB of one attribute', `<node name="/${'a'.repeat(10_000_000)}"/>`],
  ['10 MB of a comment', `<node><!--${'a'.repeat(10_000_000)}--></node>`],
  ['10 000 nodes within one another', nested('node', 10_000)],
  ['10 000 elements of documentation within one another', `<node>${nested('doc:para', 10_000)}</node>`],
  ['100 000 beginnings', '<node>'.repeat(100_000)],
  ['100 000 odd members', `<node><interface name="a.b">${'<method/>'.repeat(100_000)}</interface></node>`],
  ['nothing', ''],
  ['no XML', 'Segmentation fault (core dumped)'],
  ['XML of something else', '<html><body/></html>'],
  ['XML that ends too early', '<node><interface name="a.b">'],
] as const) {
  test(`${what} is refused soon, with a reason`, async () => {
    const started = performance.now();
    const error = await rejection(introspect(xml));
    assert.instance(error, InvalidReplyError);
    assert.match(error.message, /Introspectable.Introspect\)$/);
    assert.ok(error.message.length < 1000, 'the reason is short');
    assert.ok(performance.now() - started < QUICK * patience, 'soon');
  });
}

test('invalid members and interfaces are skipped and reported, and the rest works', async () => {
  const object = await introspect(`<node>
    <interface name="no"><method name="A"/></interface>
    <interface name="org.example.Good">
      <method name="9"/><method name="Good"/><method/><method name="Bad"><arg type="z" direction="in"/></method>
      <signal name="a.b"/><signal name="Fine"><arg type="s"/></signal>
      <property name="P" type="(" access="read"/><property name="Q" type="s" access="sometimes"/>
      <property name="R" type="s" access="read"/>
      <method name="constructor"/><method name="__proto__"/><method name="then"/>
    </interface>
    <node name="../../etc"/><node name="/absolute"/><node name="child"/>
  </node>`);
  assert.equal(object.interfaces, ['org.example.Good']);
  assert.ok(
    object.children.every((path) => /^\/[A-Za-z0-9_]+$/.test(path)),
    object.children.join(),
  );
  assert.ok(object.children.includes('/child'));
  const description = object.node.interfaces.get('org.example.Good');
  assert.equal([...(description?.methods.keys() ?? [])], ['Good', 'constructor', '__proto__', 'then']);
  assert.equal([...(description?.signals.keys() ?? [])], ['Fine']);
  assert.ok(problems.length >= 6);
  assert.ok(problems.every(({ kind }) => kind === 'introspection'));
  answer = { signature: '', body: [] };
  const proxy = object.interface('org.example.Good');
  for (const name of ['Good', 'constructor', '__proto__', 'then()']) {
    await (proxy.call[name] as () => Promise<unknown>)();
  }
  assert.instance(await Promise.resolve(object), Object, 'an object with a method called "then" is not a promise');
  assert.instance(
    thrown(() => object.interface('constructor')),
    InvalidArgumentError,
  );
  assert.instance(
    thrown(() => object.interface('org.example.constructor')),
    UnknownInterfaceError,
  );
});

test('an answer that is not text is refused', async () => {
  for (const [signature, body] of [
    ['', []],
    ['u', [5]],
    ['as', [['<node/>']]],
    ['a{sv}', [{}]],
  ] as const) {
    answer = { signature, body };
    assert.instance(await rejection(client.object(liar.uniqueName as string, '/')), DBusError, signature);
  }
});

test('a description of a thousand interfaces with fifty methods each is read', async () => {
  const members = Array.from({ length: 50 }, (_, i) => `<method name="M${i}"><arg type="s" direction="in"/></method>`);
  const interfaces = Array.from(
    { length: 1000 },
    (_, i) => `<interface name="org.example.I${i}">${members.join('')}</interface>`,
  );
  const object = await introspect(`<node>${interfaces.join('')}</node>`);
  assert.is(object.interfaces.length, 1000);
  assert.is(object.node.interfaces.get('org.example.I999')?.methods.size, 50);
});

test('answers of a peer that differ from its description are decoded by their own signature', async () => {
  const object = await introspect(`<node><interface name="org.example.Good">
    <method name="Ask"><arg type="u" direction="out"/></method><property name="R" type="s" access="read"/>
  </interface></node>`);
  const proxy = object.interface('org.example.Good');
  const ask = proxy.call.Ask as () => Promise<unknown>;
  const read = proxy.get.R as () => Promise<unknown>;
  for (const [signature, body] of [
    ['', []],
    ['s', ['text']],
    ['us', [1, 'more']],
    ['a{sv}', [{ __proto__: null }]],
  ] as const) {
    answer = { signature, body };
    await ask();
    await read().catch((error: unknown) => assert.instance(error, DBusError));
    await proxy.getAll().catch((error: unknown) => assert.instance(error, DBusError));
  }
});

test.run();
