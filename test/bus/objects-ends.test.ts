// The end of a live view: what it gives back, what a loss does, and what it refuses; and views between peers.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConnectionClosedError, connect, InvalidArgumentError, LimitsExceededError } from '../../src/index.js';
import { Device, device, NAME, noting, startDevices } from '../helpers/devices.js';
import { peers } from '../helpers/peers.js';
import { matchRuleLimit, PrivateBus } from '../helpers/private-bus.js';
import { rejection, thrown } from '../helpers/rejection.js';
import { roundTrips } from '../helpers/round-trips.js';
import { until } from '../helpers/until.js';

const test = suite('the end of views');
const daemon = await PrivateBus.start();
const client = await connect({ address: daemon.address });
const startService = () => startDevices(daemon.address, client);

test.after(async () => {
  await client.close();
  await daemon.stop();
});

test('a view has three match rules, and gives everything back when it ends', async () => {
  await using service = await startService();
  for (let index = 0; index < 50; index++) service.export(`/device/${index}`, device(`${index}`));
  const before = client.stats();
  const view = client.objects(NAME);
  await view.ready;
  const watches = [view.of(Device).watch({}), [...view.of(Device)][0]?.watch({})];
  assert.is(client.stats().matchRules - before.matchRules, 3);
  assert.is(client.stats().subscriptions - before.subscriptions, 2);
  view.end();
  view.end();
  const { matchRules, subscriptions } = client.stats();
  assert.equal([matchRules, subscriptions], [before.matchRules, before.subscriptions]);
  assert.equal([view.size, [...view.of(Device)], view.owner], [0, [], undefined]);
  for (const watch of watches) watch?.end();
});

test('a view ends with its share, and what waits for it rejects; after a loss everything is removed', async () => {
  await using service = await startService();
  service.export('/one', device('one'));
  const own = await connect({ address: daemon.address });
  const view = own.objects(NAME);
  await view.ready;
  const told: unknown[] = [];
  view.of(Device).watch(noting(told));
  await roundTrips(own, client);
  const waiting = rejection(
    view
      .of(Device)
      .get('/one')
      ?.until(() => false) ?? Promise.resolve(),
  );
  const loop = view.of(Device).changes();
  await loop.next();
  const next = loop.next();
  await own.close();
  assert.instance(await waiting, ConnectionClosedError);
  assert.is((await next).done, true);
  assert.is(view.size, 0);
  assert.equal(told, [['added', '/one', 'one']]);
  assert.instance(
    thrown(() => own.objects(NAME)),
    ConnectionClosedError,
  );

  await using other = await PrivateBus.start();
  const lost = await connect({ address: other.address });
  const serving = await connect({ address: other.address });
  serving.exportObjectManager('/');
  serving.export('/one', device('one'));
  await serving.requestName(NAME);
  const lostView = lost.objects(NAME);
  await lostView.ready;
  told.length = 0;
  lostView.of(Device).watch(noting(told));
  const lostLoop = lostView.of(Device).changes();
  await lostLoop.next();
  const failed = rejection(lostLoop.next().then(() => lostLoop.next()));
  const losses = [lost.disconnected, serving.disconnected];
  await other.stop();
  await Promise.all(losses);
  assert.instance(await failed, ConnectionClosedError);
  assert.equal(told, [
    ['added', '/one', 'one'],
    ['removed', '/one', 'one', {}, false],
  ]);
});

test('a view whose rules the bus refuses has no objects, and its `ready` rejects', async () => {
  await using limited = await PrivateBus.start({ limits: matchRuleLimit(2) });
  await using own = await connect({ address: limited.address });
  using view = own.objects(NAME);
  assert.instance(await rejection(view.ready), LimitsExceededError);
  assert.is(view.size, 0);
});

test('mistakes are refused', () => {
  using view = client.objects(NAME);
  const refused = (run: () => unknown, text: RegExp) => {
    const error = thrown(run);
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, text);
  };
  refused(() => client.objects('no name'), /invalid destination "no name"/);
  refused(() => client.objects(), /destination: required on a message bus/);
  refused(() => client.objects(NAME, 'path'), /invalid path "path"/);
  refused(() => client.objects(NAME, '/', { timeOut: 5 } as object), /takes no option "timeOut".*timeout/);
  refused(() => view.of(Device).watch({ add: () => {} } as object), /takes no function "add".*added/);
  refused(() => view.of(Device).watch({ added: 'x' } as object), /added: expected a function, got string/);
  refused(() => view.of(Device).changes({ limit: 5 } as object), /takes no option "limit"/);
  refused(() => view.of({} as never), /expected a ServiceInterface class/);
});

for (const transport of ['socket', 'sd-bus'] as const) {
  test(`between peers, without names: ${transport}`, async () => {
    await using ends = await peers({ transport }, { transport });
    const { client: near, accepted: far } = ends;
    far.exportObjectManager('/');
    const one = device('one');
    const exported = far.export('/one', one);
    using view = near.objects();
    assert.is(await view.ready, undefined);
    const object = view.of(Device).get('/one');
    assert.is(object?.values.Name, 'one');
    one.properties.Name = 'first';
    await object?.until(({ Name }) => Name === 'first');
    exported.end();
    await until(() => view.size === 0);
  });
}

test.run();
