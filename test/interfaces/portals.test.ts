/** `portalRequest`, with a portal that answers in every order and at every path, on both daemons. */
import { getEventListeners } from 'node:events';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileChooser, NAME, type PortalRequestError, portalRequest } from '../../packages/interfaces/src/portals.js';
import {
  connect,
  type MessageBus,
  NotSupportedError,
  ServiceLeftError,
  ServiceUnknownError,
  TimeoutError,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Random } from '../helpers/random-numbers.js';
import { seed } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';
import { type Behaviour, PortalModel } from './portal-model.js';

const test = suite('requests of portals');

interface World {
  readonly daemon: PrivateBus;
  readonly client: MessageBus;
  readonly portal: PortalModel;
  open(title: string, behaviour: Behaviour, options?: { timeout?: number; signal?: AbortSignal }): Promise<unknown>;
}

async function inWorld(daemon: Daemon, use: (world: World) => Promise<void>): Promise<void> {
  await using bus = await PrivateBus.start({ daemon });
  const portal = await PortalModel.start(bus.address);
  await using client = await connect({ address: bus.address });
  await client.waitForName(NAME);
  const world: World = {
    daemon: bus,
    client,
    portal,
    open(title, behaviour, options) {
      portal.behaviours.set(title, behaviour);
      return portalRequest(client, FileChooser, 'OpenFile', ['', title, { multiple: true }], options);
    },
  };
  try {
    await use(world);
  } finally {
    await portal.bus.close();
  }
}

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    (value) => assert.unreachable(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );

/** What is left of a request: nothing, once the bus has handled all that was sent. */
async function nothingIsLeft(client: MessageBus, before: ReturnType<MessageBus['stats']>): Promise<void> {
  await until(() => client.stats().subscriptions === before.subscriptions);
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  const missing = PrivateBus.missing({ daemon });
  const check = (name: string, use: (world: World) => Promise<void>) =>
    testUnless(missing, test, `${name} (${daemon})`, () => inWorld(daemon, use));

  check('the response counts whenever it is sent, and wherever the portal has its request', async (world) => {
    const before = world.client.stats();
    for (const when of ['before', 'with', 'later'] as const) {
      for (const path of ['expected', 'own'] as const) {
        const title = `${when} ${path}`;
        assert.equal(await world.open(title, { response: 0, when, path, noise: true }), { uris: [`file:///${title}`] });
      }
    }
    assert.equal(world.portal.closed, [], 'a request that was answered is not closed');
    const { handle_token: token, multiple } = world.portal.options.get('with expected') ?? {};
    assert.match(String(token), /^[A-Za-z0-9_]+$/);
    assert.is(multiple, true);
    await nothingIsLeft(world.client, before);
  });

  check('the codes of a response that is no success are an error', async ({ open, portal }) => {
    const cancelled = (await rejection(
      open('no', { response: 1, when: 'with', path: 'expected' }),
    )) as PortalRequestError;
    assert.is(cancelled.name, 'PortalRequestError');
    assert.is(cancelled.isCancelled, true);
    assert.equal([cancelled.response, cancelled.results], [1, { why: 'no' }]);
    assert.is(cancelled.message, 'the user has cancelled org.freedesktop.portal.FileChooser.OpenFile');
    const ended = (await rejection(open('end', { response: 2, when: 'later', path: 'own' }))) as PortalRequestError;
    assert.equal([ended.response, ended.isCancelled], [2, false]);
    assert.equal(portal.closed, []);
  });

  check('aborting and the time limit close the request, at either path', async ({ open, portal, client }) => {
    const before = client.stats();
    for (const path of ['expected', 'own'] as const) {
      const controller = new AbortController();
      const waiting = rejection(open(`abort ${path}`, { when: 'with', path }, { signal: controller.signal }));
      await until(() => portal.requests.has(`abort ${path}`));
      const reason = new Error('no longer needed');
      controller.abort(reason);
      assert.is(await waiting, reason);
      await until(() => portal.closed.includes(`abort ${path}`));
      const late = await rejection(open(`late ${path}`, { when: 'with', path }, { timeout: 30 }));
      assert.instance(late, TimeoutError);
      await until(() => portal.closed.includes(`late ${path}`));
    }
    await nothingIsLeft(client, before);
  });

  check('aborting before the portal has answered the call closes the request as well', async ({ open, portal }) => {
    const controller = new AbortController();
    const waiting = rejection(open('at once', { when: 'with', path: 'own' }, { signal: controller.signal }));
    controller.abort();
    assert.is(((await waiting) as Error).name, 'AbortError');
    await until(() => portal.closed.includes('at once'));
    const sent = portal.requests.size;
    assert.is(
      ((await rejection(open('never', { when: 'with', path: 'own' }, { signal: controller.signal }))) as Error).name,
      'AbortError',
    );
    assert.is(portal.requests.size, sent);
    assert.equal(getEventListeners(controller.signal, 'abort'), []);
  });

  check('a portal that leaves, is not there, or fails ends the request', async ({ open, portal, client }) => {
    const failing = portalRequest(client, FileChooser, 'SaveFile', ['', '', {}]);
    assert.instance(await rejection(failing), NotSupportedError);
    const unanswered = rejection(portalRequest(client, FileChooser, 'SaveFiles', ['', '', {}]));
    const waiting = rejection(open('left', { when: 'with', path: 'expected' }));
    await until(() => portal.requests.has('left'));
    await portal.bus.close();
    assert.instance(await waiting, ServiceLeftError);
    assert.instance(await unanswered, ServiceLeftError);
    assert.instance(await rejection(open('none', { when: 'with', path: 'expected' })), ServiceUnknownError);
  });

  check('a response of another connection does not count', async ({ open, portal, daemon: bus }) => {
    await using stranger = await connect({ address: bus.address });
    const waiting = open('mine', { response: 0, when: 'later', path: 'expected' });
    await until(() => portal.requests.has('mine'));
    const fields = { path: portal.requests.get('mine') as string, interface: 'org.freedesktop.portal.Request' };
    stranger.emit({ ...fields, member: 'Response', signature: 'ua{sv}', body: [0, { uris: ['file:///stolen'] }] });
    assert.equal(await waiting, { uris: ['file:///mine'] });
  });

  check('closing the connection ends the request', async ({ open, client, portal }) => {
    const waiting = rejection(open('closed', { when: 'with', path: 'expected' }));
    await until(() => portal.requests.has('closed'));
    await client.close();
    assert.is(((await waiting) as Error).name, 'ConnectionClosedError');
  });

  check('random requests at the same time get their own responses', async ({ open, portal, client }) => {
    console.log(`# seed ${seed}`);
    const random = new Random(seed);
    const before = client.stats();
    const unanswered: string[] = [];
    const all = Array.from({ length: 60 }, (_, index) => {
      const title = `request ${index}`;
      const code = random.of([0, 0, 1, 2, undefined]);
      const behaviour = {
        when: random.of(['before', 'with', 'later'] as const),
        path: random.of(['expected', 'own'] as const),
      };
      if (code === undefined) {
        unanswered.push(title);
        return rejection(open(title, behaviour, { timeout: 20 })).then((error) => assert.instance(error, TimeoutError));
      }
      const response = open(title, { ...behaviour, response: code, noise: random.below(2) === 0 });
      if (code === 0) return response.then((results) => assert.equal(results, { uris: [`file:///${title}`] }));
      return rejection(response).then((error) => assert.is((error as PortalRequestError).response, code));
    });
    await Promise.all(all);
    await until(() => portal.closed.length === unanswered.length);
    assert.equal(portal.closed.toSorted(), unanswered.toSorted());
    await nothingIsLeft(client, before);
  });
}

test.run();
