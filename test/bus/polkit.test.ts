// Permissions by the real polkitd: with and without asking the user, for methods and properties. The user answers through
// an agent that is written with busbar.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/diagnostics/problems.js';
import {
  AccessDeniedError,
  type CallContext,
  connect,
  DBusError,
  defineInterface,
  InteractiveAuthorizationRequiredError,
  implement,
  type MessageBus,
  variant,
} from '../../src/index.js';
import { connectAs } from '../helpers/as-user.js';
import { missingPolkit, Polkit } from '../helpers/polkit.js';
import { PolkitAgent } from '../helpers/polkit-agent.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const test = suite('polkit');
const missing = missingPolkit() ?? PrivateBus.missing();
const UID = 65_534;
const NAME = 'org.example.Guarded';

const Guarded = defineInterface(NAME, {
  methods: {
    SetName: { in: ['name:s'], out: 's' },
    Open: { in: ['name:s'], out: 's' },
    Never: { out: 's' },
    Unknown: {},
    Ruled: {},
    Asks: { in: ['name:s', 'timeout:d'], out: 's' },
  },
  properties: { Level: { type: 'u' }, Secret: { type: 's' }, Free: { type: 's' } },
});

const ACTIONS = {
  'org.example.busbar.yes': 'yes',
  'org.example.busbar.no': 'no',
  'org.example.busbar.self': 'auth_self',
  'org.example.busbar.ruled': 'no',
} as const;

const RULES = `
polkit.addRule(function (action, subject) {
  if (action.id !== 'org.example.busbar.ruled') return undefined;
  return action.lookup('name') === 'allowed' ? polkit.Result.YES : polkit.Result.NO;
});
`;

const ran: string[] = [];
let stop = new AbortController();

const guarded = implement(
  Guarded,
  {
    SetName: (name) => {
      ran.push(`SetName ${name}`);
      return name;
    },
    Open: (name) => name,
    Never: () => 'never',
    Unknown: () => {},
    Ruled: async (call) => {
      await call.authorize('org.example.busbar.ruled', { details: { name: 'allowed' } });
      await call.authorize('org.example.busbar.ruled', { details: { name: 'other' } });
    },
    Asks: async (name, timeout, call: CallContext) => {
      const { signal } = stop;
      if (name === 'ends at once') queueMicrotask(() => stop.abort(new DBusError('org.example.Ends', 'at once')));
      await call.authorize('org.example.busbar.self', {
        details: { 'polkit.message': 'Name it $(name)?', name },
        timeout: timeout || undefined,
        signal,
      });
      return 'granted';
    },
    Level: 1,
    Secret: 'secret',
    Free: 'free',
  },
  {
    members: {
      SetName: {
        allow: {
          polkit: 'org.example.busbar.self',
          details: { 'polkit.message': 'Authentication is required for $(what)', what: 'the name' },
        },
      },
      Open: { allow: [{ polkit: 'org.example.busbar.self' }, { uid: UID }] },
      Never: { allow: { polkit: 'org.example.busbar.no' } },
      Unknown: { allow: { polkit: 'org.example.busbar.unknown' } },
      Level: { allow: { write: { polkit: 'org.example.busbar.self' } } },
      Secret: { allow: { read: { polkit: 'org.example.busbar.self' }, write: { polkit: 'org.example.busbar.yes' } } },
    },
  },
);

interface World {
  readonly daemon: PrivateBus;
  readonly polkit: Polkit;
  readonly service: MessageBus;
  /** Another connection of root, for the agent. */
  readonly root: MessageBus;
}

/** The service runs as root, as polkit requires of those who ask about others. */
async function start(): Promise<World> {
  const policy =
    '<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>';
  const daemon = await PrivateBus.start({ type: 'system', policy });
  const polkit = await Polkit.start({ address: daemon.address, actions: ACTIONS, rules: RULES });
  const service = await connect({ address: daemon.address });
  service.export('/guarded', guarded);
  service.exportObjectManager('/');
  await service.requestName(NAME);
  await service.waitForName('org.freedesktop.PolicyKit1', { timeout: 20_000 });
  return { daemon, polkit, service, root: await connect({ address: daemon.address }) };
}

let world: World | undefined;
test.before(async () => {
  if (missing === undefined) world = await start();
});
test.after(async () => {
  await world?.service.close();
  await world?.root.close();
  await world?.polkit.stop();
  await world?.daemon.stop();
});
test.before.each(() => {
  ran.splice(0);
  stop = new AbortController();
});

const proxyOf = (client: MessageBus, interactive = false) =>
  client.proxy(Guarded, NAME, '/guarded').with({ interactive, timeout: 20_000 });

async function withClient(uid: number, use: (client: MessageBus, agent: PolkitAgent) => Promise<void>): Promise<void> {
  const { daemon, root } = world as World;
  await using client = await connectAs(daemon.address, uid);
  await using agent = await PolkitAgent.register(root);
  await use(client, agent);
}

testUnless(missing, test, 'root is permitted without being asked', async () => {
  await using root = await connect({ address: (world as World).daemon.address });
  assert.is(await proxyOf(root).call.SetName('a'), 'a');
  await proxyOf(root).set.Level(2);
  assert.is(await proxyOf(root).get.Secret(), 'secret');
});

testUnless(missing, test, 'a caller that does not allow to ask the user is told that this is required', async () => {
  await withClient(UID, async (client, agent) => {
    const proxy = proxyOf(client);
    for (const error of await Promise.all(
      [proxy.call.SetName('a'), proxy.set.Level(2), proxy.get.Secret(), proxy.call.Asks('a', 0)].map((attempt) =>
        rejection(attempt as Promise<unknown>),
      ),
    )) {
      assert.instance(error, InteractiveAuthorizationRequiredError);
      assert.match(String(error), 'org.example.busbar.self');
    }
    assert.equal(agent.asked, []);
    assert.equal(ran, []);
  });
});

testUnless(missing, test, 'the user says yes: the method runs, and the property is set and read', async () => {
  await withClient(UID, async (client, agent) => {
    const proxy = proxyOf(client, true);
    assert.is(await proxy.call.SetName('a'), 'a');
    assert.equal(ran, ['SetName a']);
    assert.is(agent.asked[0]?.action, 'org.example.busbar.self');
    assert.is(agent.asked[0]?.message, 'Authentication is required for the name');
    await proxy.set.Level(7);
    assert.is(guarded.properties.Level, 7);
    assert.is(await proxy.get.Secret(), 'secret');
    assert.is(await proxy.call.Asks('b', 0), 'granted');
    assert.is(agent.asked.length, 4);
    assert.is(agent.asked[3]?.message, 'Name it b?');
  });
});

testUnless(missing, test, 'the user says no: the caller is refused, and nothing happens', async () => {
  guarded.properties.Level = 1;
  await withClient(UID, async (client, agent) => {
    agent.reply = 'no';
    const proxy = proxyOf(client, true);
    for (const error of await Promise.all(
      [proxy.call.SetName('a'), proxy.set.Level(2), proxy.get.Secret(), proxy.call.Asks('a', 0)].map((attempt) =>
        rejection(attempt as Promise<unknown>),
      ),
    )) {
      assert.instance(error, AccessDeniedError);
      assert.match(String(error), 'org.example.busbar.self');
    }
    assert.is(agent.asked.length, 4);
    assert.equal(ran, []);
    assert.is(guarded.properties.Level, 1);
  });
});

testUnless(missing, test, 'an action that polkit refuses, or does not know, is refused', async () => {
  const problems: Problem[] = [];
  const note = (problem: unknown) => void problems.push(problem as Problem);
  subscribe('busbar:problem', note);
  try {
    await withClient(UID, async (client, agent) => {
      const refused = await rejection(proxyOf(client, true).call.Never());
      assert.instance(refused, AccessDeniedError);
      assert.match(String(refused), 'the polkit action org.example.busbar.no is required');
      assert.equal(problems, []);
      const unknown = await rejection(proxyOf(client, true).call.Unknown());
      assert.instance(unknown, AccessDeniedError);
      assert.match(String(unknown), 'org.example.busbar.unknown is not registered');
      assert.is(problems.length, 1);
      assert.equal(agent.asked, []);
    });
  } finally {
    unsubscribe('busbar:problem', note);
  }
});

testUnless(missing, test, 'a rule of polkit decides by the details', async () => {
  await withClient(UID, async (client) => {
    const error = await rejection(proxyOf(client).call.Ruled());
    assert.instance(error, AccessDeniedError);
    assert.match(String(error), 'org.example.busbar.ruled is required');
  });
});

testUnless(missing, test, 'no user is asked for a caller that another permission of the list permits', async () => {
  await withClient(UID, async (client, agent) => {
    assert.is(await proxyOf(client, true).call.Open('a'), 'a');
    assert.equal(agent.asked, []);
  });
});

testUnless(missing, test, 'GetAll and GetManagedObjects leave a property out, and ask no user', async () => {
  await withClient(UID, async (client, agent) => {
    const properties = { destination: NAME, path: '/guarded', interface: 'org.freedesktop.DBus.Properties' };
    for (const name of [NAME, '']) {
      const call = { ...properties, member: 'GetAll', signature: 's', body: [name], interactive: true };
      assert.equal(Object.keys((await client.call(call))[0] as object), ['Level', 'Free']);
    }
    const manager = 'org.freedesktop.DBus.ObjectManager';
    const [objects] = await client.call({
      destination: NAME,
      path: '/',
      interface: manager,
      member: 'GetManagedObjects',
      interactive: true,
    });
    const object = (objects as Record<string, Record<string, object>>)['/guarded'];
    assert.equal(Object.keys(object?.[NAME] as object), ['Level', 'Free']);
    assert.equal(agent.asked, []);
  });
  await using root = await connect({ address: (world as World).daemon.address });
  assert.equal(Object.keys(await proxyOf(root).getAll()), ['Level', 'Secret', 'Free']);
});

testUnless(missing, test, 'polkit withdraws its question when the caller leaves', async () => {
  const { daemon, service, root } = world as World;
  for (const how of ['method', 'property', 'authorize'] as const) {
    const client = await connectAs(daemon.address, UID);
    await using agent = await PolkitAgent.register(root);
    agent.reply = 'never';
    const proxy = proxyOf(client, true);
    const call = {
      method: () => proxy.call.SetName('a'),
      property: () => proxy.set.Level(3),
      authorize: () => proxy.call.Asks('a', 0),
    };
    const outcome = call[how]().catch(() => {});
    await until(() => agent.asked.length === 1);
    assert.is(service.stats().callsInProgress, 1);
    await client.close({ drain: 0 });
    await agent.asked[0]?.cancelled;
    await outcome;
    await until(() => service.stats().callsInProgress === 0);
  }
  assert.equal(ran, []);
});

testUnless(missing, test, 'polkit withdraws its question at the time limit and when the signal aborts', async () => {
  await withClient(UID, async (client, agent) => {
    agent.reply = 'never';
    const late = await rejection(proxyOf(client, true).call.Asks('a', 300));
    assert.instance(late, AccessDeniedError);
    assert.match(String(late), 'not granted within 300 ms');
    await agent.asked[0]?.cancelled;
    const aborted = rejection(proxyOf(client, true).call.Asks('a', 0));
    await until(() => agent.asked.length === 2);
    stop.abort(new DBusError('org.example.Ends', 'the program ends'));
    assert.match(String(await aborted), 'the program ends');
    await agent.asked[1]?.cancelled;
  });
});

testUnless(missing, test, 'a question that ends while polkit is looked for is never asked', async () => {
  await withClient(UID, async (client, agent) => {
    const proxy = proxyOf(client, true);
    assert.match(String(await rejection(proxy.call.Asks('ends at once', 0))), 'at once');
    stop = new AbortController();
    assert.is(await proxy.call.Asks('a', 0), 'granted');
    assert.equal(
      agent.asked.map(({ message }) => message),
      ['Name it a?'],
    );
  });
});

testUnless(missing, test, 'a change of a property that not all may read has no value in signals', async () => {
  await withClient(UID, async (client) => {
    const signals: unknown[] = [];
    const rule = { sender: NAME, member: 'PropertiesChanged' };
    await client.subscribe(rule, ({ body }) => void signals.push(body)).ready;
    guarded.properties.Secret = 'other';
    await until(() => signals.length === 1);
    assert.equal(signals, [[NAME, {}, ['Secret']]]);
    const set = { destination: NAME, path: '/guarded', interface: 'org.freedesktop.DBus.Properties', member: 'Set' };
    await client.call({ ...set, signature: 'ssv', body: [NAME, 'Secret', variant.s('secret')] });
    assert.is(guarded.properties.Secret, 'secret');
  });
});

test.run();
