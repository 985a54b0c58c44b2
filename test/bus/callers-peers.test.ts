// Callers between peers: the connection is the caller's life.
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CallContext, ConnectionClosedError, connect, defineInterface, implement } from '../../src/index.js';
import { FakeBus } from '../helpers/fake-bus.js';
import { peers } from '../helpers/peers.js';
import { until } from '../helpers/until.js';

const test = suite('callers between peers');
const Asked = defineInterface('org.example.Asked', { methods: { Ask: {}, Wait: {} } });

function askedObject() {
  const contexts: CallContext[] = [];
  const object = implement(Asked, {
    Ask: (context) => void contexts.push(context),
    Wait(context) {
      contexts.push(context);
      return new Promise<void>(() => {});
    },
  });
  return { contexts, object };
}

for (const end of ['the peer closes', 'this end closes', 'the peer closes at once'] as const) {
  test(`what a peer has is released when ${end}`, async () => {
    await using ends = await peers();
    const { client, accepted } = ends;
    void accepted.disconnected;
    const { contexts, object } = askedObject();
    accepted.export('/', object);
    await client.proxy(Asked, '/').call.Ask();
    const waiting = client
      .proxy(Asked, '/')
      .call.Wait()
      .catch((error: unknown) => error);
    await until(() => contexts.length === 2);
    const [{ caller }, { signal, caller: second }] = contexts as [CallContext, CallContext];
    assert.is(caller.name, undefined);
    const reasons: unknown[] = [];
    caller.track((reason) => reasons.push(reason));
    second.track((reason) => reasons.push(reason));
    caller.track(() => reasons.push('never')).end();
    const { left } = caller;
    assert.is(second.left, left);
    assert.not(signal.aborted);
    assert.is(accepted.stats().followedCallers, 1);
    if (end === 'this end closes') await accepted.close({ drain: 0 });
    else await client.close(end === 'the peer closes' ? {} : { drain: 0 });
    await until(() => accepted.state === 'closed' && left.aborted);
    assert.is(reasons.length, 2);
    assert.instance(reasons[0], ConnectionClosedError);
    assert.is(reasons[1], reasons[0]);
    assert.is(left.reason, reasons[0]);
    assert.instance(signal.reason, ConnectionClosedError);
    assert.is(accepted.stats().followedCallers, 0);
    // Of a connection that has ended, it runs soon.
    caller.track((reason) => reasons.push(reason));
    assert.is(reasons.length, 2);
    await delay(0);
    assert.is(reasons[2], reasons[0]);
    assert.instance(await waiting, Error);
  });
}

test('a peer that claims a name is one caller, whatever it claims', async () => {
  await using server = await FakeBus.start();
  await using right = await connect({ address: server.address, peer: true });
  const left = await server.accepted();
  const { contexts, object } = askedObject();
  right.export('/', object);
  const claims = [':1.1', ':1.2', 'org.example.Claimed'];
  for (const sender of claims) {
    left.send({ type: 1, sender, destination: undefined, path: '/', interface: 'org.example.Asked', member: 'Ask' });
  }
  await until(() => contexts.length === claims.length);
  const lefts = new Set(contexts.map(({ caller }) => caller.left));
  assert.is(lefts.size, 1);
  assert.equal(new Set(contexts.map(({ caller }) => caller.name)), new Set([undefined]));
  assert.is(right.stats().followedCallers, 1);
  left.hangUp();
  await until(() => [...lefts].every(({ aborted }) => aborted));
});

test('a peer that reconnects is another caller', async () => {
  const server = await peers();
  const { contexts, object } = askedObject();
  server.accepted.export('/', object);
  const client = await connect({ address: server.server.address, peer: true });
  const { value: second } = await server.server[Symbol.asyncIterator]().next();
  second?.export('/', object);
  await server.client.proxy(Asked, '/').call.Ask();
  await client.proxy(Asked, '/').call.Ask();
  const [one, two] = contexts as [CallContext, CallContext];
  const ran: string[] = [];
  one.caller.track(() => ran.push('one'));
  two.caller.track(() => ran.push('two'));
  await client.close();
  await until(() => ran.length > 0);
  assert.equal(ran, ['two']);
  assert.not(one.caller.left.aborted);
  await server[Symbol.asyncDispose]();
  await until(() => ran.length === 2);
});

test.run();
