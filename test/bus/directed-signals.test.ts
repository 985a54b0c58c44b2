// Signals to one connection: only the receiver gets them, without a match rule, in the order of the program.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  type Caller,
  connect,
  defineInterface,
  type Emits,
  InvalidArgumentError,
  implement,
  type MessageBus,
  MessageType,
  method,
  pair,
  pipe,
  property,
  ServiceInterface,
  type SignalDestination,
  type SignalDestinationOptions,
  signal,
} from '../../src/index.js';
import type { ExportedObject } from '../../src/service/objects/exports.js';
import { legacy } from '../helpers/legacy-decorator.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { thrown } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const NAME = 'org.example.Request';
const Request = defineInterface(NAME, {
  methods: { Ask: { in: 's' }, AskLater: { in: 's' } },
  signals: { Response: { args: ['code:u', 'text:s'] }, Late: { args: 's' } },
  properties: { Count: { type: 'u', access: 'read' } },
});

/** An object, however it is written: its calls do what `act` does with the call. */
interface Asked {
  readonly object: ExportedObject;
  respond(to: SignalDestination, code: number, text: string, options?: SignalDestinationOptions): void;
  respondToAll(code: number, text: string): void;
  count(): void;
}
type Act = (call: CallContext, what: string) => unknown;

class StandardRequest extends ServiceInterface {
  readonly #act: Act;
  constructor(act: Act) {
    super(NAME);
    this.#act = act;
  }

  @property({ type: 'u', access: 'read' })
  accessor Count = 0;

  @method({ in: 's', context: true })
  Ask(what: string, call: CallContext): void {
    this.#act(call, what);
  }

  @method({ in: 's', context: true })
  async AskLater(what: string, call: CallContext): Promise<void> {
    await this.#act(call, what);
  }

  @signal({ args: ['code:u', 'text:s'] })
  Response(code: number, text: string): Emits<[code: number, text: string]> {
    return [code, text];
  }

  @signal({ args: 's' })
  async Late(text: string): Promise<Emits<string>> {
    await undefined;
    return `${text}!`;
  }

  /** Within the class, the type of `this` is not known. */
  respond(to: SignalDestination, code: number, text: string, options?: SignalDestinationOptions): void {
    this.signalsTo(to, options).Response(code, text);
  }
}

class LegacyRequest extends ServiceInterface {
  Count = 0;
  readonly #act: Act;
  constructor(act: Act) {
    super(NAME);
    this.#act = act;
  }

  Ask(what: string, call: CallContext): void {
    this.#act(call, what);
  }

  async AskLater(what: string, call: CallContext): Promise<void> {
    await this.#act(call, what);
  }

  Response(code: number, text: string): Emits<[code: number, text: string]> {
    return [code, text];
  }

  async Late(text: string): Promise<Emits<string>> {
    return `${text}!`;
  }
}
legacy(property({ type: 'u', access: 'read' }), LegacyRequest, 'Count');
legacy(method({ in: 's', context: true }), LegacyRequest, 'Ask');
legacy(method({ in: 's', context: true }), LegacyRequest, 'AskLater');
legacy(signal({ args: ['code:u', 'text:s'] }), LegacyRequest, 'Response');
legacy(signal({ args: 's' }), LegacyRequest, 'Late');

/** Overrides without a decorator, and calls the inherited signal, which emits nothing then. */
class DerivedRequest extends StandardRequest {
  override Response(code: number, text: string): Emits<[code: number, text: string]> {
    return super.Response(code, text.toUpperCase());
  }
}

const kinds: Readonly<Record<string, (act: Act) => Asked>> = {
  'a class': (act) => {
    const object = new StandardRequest(act);
    return {
      object,
      respond: (to, code, text, options) => object.respond(to, code, text, options),
      respondToAll: (code, text) => void object.Response(code, text),
      count: () => void object.Count++,
    };
  },
  'a class in the other dialect': (act) => {
    const object = new LegacyRequest(act);
    return {
      object,
      respond: (to, code, text, options) => void object.signalsTo(to, options).Response(code, text),
      respondToAll: (code, text) => void object.Response(code, text),
      count: () => void object.Count++,
    };
  },
  'implement()': (act) => {
    const object = implement(Request, {
      Ask: (what, call) => void act(call, what),
      AskLater: async (what, call) => void (await act(call, what)),
      Count: 0,
    });
    return {
      object,
      respond: (to, code, text, options) => object.to(to, options).emit.Response(code, text),
      respondToAll: (code, text) => object.emit.Response(code, text),
      count: () => void object.properties.Count++,
    };
  },
};

/** Records what a client gets, in the order of the wire: its replies, and the signals of a sender. */
function record(client: MessageBus): string[] {
  const log: string[] = [];
  client.addMessageHandler(
    ({ type, path, member, body, sender }) => {
      if (sender === 'org.freedesktop.DBus') return;
      if (type === MessageType.Signal) log.push(`${member} ${path} ${JSON.stringify(body)}`);
      if (type === MessageType.MethodReturn) log.push('reply');
    },
    { replies: true },
  );
  return log;
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const missing = PrivateBus.missing({ daemon });
  const test = suite(`signals to one connection, on ${daemon}`);
  let bus: PrivateBus;

  test.before(async () => {
    if (missing === undefined) bus = await PrivateBus.start({ daemon });
  });

  test.after(async () => {
    await bus?.stop();
  });

  /** A service and three clients, of which the first two subscribe to all signals. */
  async function scene(make: (act: Act) => Asked, act: Act) {
    const service = await connect({ address: bus.address });
    const asked = make(act);
    service.export('/request', asked.object);
    const clients = await Promise.all([0, 1, 2].map(() => connect({ address: bus.address })));
    const logs = clients.map(record);
    for (const client of clients.slice(0, 2)) await client.subscribe({ interface: NAME }, () => {}).ready;
    const destination = service.uniqueName as string;
    const all = [service, ...clients];
    return {
      service,
      asked,
      clients,
      logs,
      destination,
      settle: async () => {
        for (const each of all) await each.listNames();
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(all.map((each) => each.close()));
      },
    };
  }

  for (const [kind, make] of Object.entries(kinds)) {
    testUnless(missing, test, `${kind}: only the caller gets it, before and after the reply`, async () => {
      for (const member of ['Ask', 'AskLater'] as const) {
        const act: Act = (call, what) => {
          world.asked.count();
          world.asked.respond(call, 0, what);
          queueMicrotask(() => setImmediate(() => world.asked.respond(call, 1, what)));
        };
        await using world = await scene(make, act);
        for (const [index, client] of world.clients.entries()) {
          await client.proxy(Request, world.destination, '/request').call[member](`${index}`);
          await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
          await world.settle();
        }
        world.asked.respondToAll(2, 'all');
        await world.settle();
        const own = (index: number) => [
          `Response /request [0,"${index}"]`,
          'reply',
          `Response /request [1,"${index}"]`,
        ];
        const all = 'Response /request [2,"all"]';
        // The third one has no subscription.
        assert.equal(world.logs, [[...own(0), all], [...own(1), all], own(2)]);
      }
    });

    testUnless(missing, test, `${kind}: a change of the object precedes it`, async () => {
      await using world = await scene(make, (call) => {
        world.asked.count();
        world.asked.respond(call.sender, 0, '');
      });
      const [client] = world.clients as [MessageBus];
      await client.subscribe({ interface: 'org.freedesktop.DBus.Properties' }, () => {}).ready;
      await client.proxy(Request, world.destination, '/request').call.Ask('');
      assert.equal(world.logs[0], [
        'PropertiesChanged /request ["org.example.Request",{"Count":1},[]]',
        'Response /request [0,""]',
        'reply',
      ]);
    });

    testUnless(missing, test, `${kind}: by a unique and by a well-known name`, async () => {
      await using world = await scene(make, () => {});
      const [first, second] = world.clients as [MessageBus, MessageBus];
      await first.requestName('org.example.First');
      world.asked.respond('org.example.First', 1, 'well-known');
      world.asked.respond(second.uniqueName, 2, 'unique');
      await world.settle();
      const [ofFirst, ofSecond, ofThird] = world.logs;
      assert.equal(ofFirst, ['Response /request [1,"well-known"]']);
      assert.equal(ofSecond, ['Response /request [2,"unique"]']);
      assert.equal(ofThird, []);
    });

    testUnless(missing, test, `${kind}: from the path that was called, from all paths, or from one`, async () => {
      await using world = await scene(make, (call) => world.asked.respond(call, 0, ''));
      const { asked, service, destination } = world;
      service.export('/other', asked.object);
      const [client] = world.clients as [MessageBus];
      const log = world.logs[0] as string[];
      await client.proxy(Request, destination, '/other').call.Ask('');
      assert.equal(log.splice(0), ['Response /other [0,""]', 'reply']);
      asked.respond(client.uniqueName, 1, '');
      await world.settle();
      assert.equal(log.splice(0), ['Response /request [1,""]', 'Response /other [1,""]']);
      asked.respond(client.uniqueName, 2, '', { path: '/other' });
      asked.respond(client.uniqueName, 2, '', { path: '/none' });
      await world.settle();
      assert.equal(log, ['Response /other [2,""]']);
    });

    testUnless(missing, test, `${kind}: one connection of several gets it`, async () => {
      await using world = await scene(make, (call) => world.asked.respond(call, 0, 'caller'));
      await using other = await PrivateBus.start({ daemon });
      await using elsewhere = await connect({ address: other.address });
      elsewhere.export('/request', world.asked.object);
      const [client] = world.clients as [MessageBus];
      // The same name on the other bus belongs to another connection.
      const strangers: MessageBus[] = [];
      while (strangers.at(-1)?.uniqueName !== client.uniqueName) {
        assert.ok(strangers.length < 200);
        strangers.push(await connect({ address: other.address }));
      }
      const logs = strangers.map(record);
      await client.proxy(Request, world.destination, '/request').call.Ask('');
      const error = thrown(() => world.asked.respond(client.uniqueName, 1, ''));
      assert.instance(error, InvalidArgumentError);
      assert.match(error.message, 'the object is exported on several connections: give the receiver as a caller');
      await world.settle();
      await elsewhere.listNames();
      for (const stranger of strangers) await stranger.listNames();
      assert.equal(world.logs[0], ['Response /request [0,"caller"]', 'reply']);
      assert.equal(logs.flat(), []);
      for (const stranger of strangers) await stranger.close();
    });

    testUnless(missing, test, `${kind}: to a connection that has left, and values of the wrong type`, async () => {
      await using world = await scene(make, () => {});
      const [first, second] = world.clients as [MessageBus, MessageBus];
      const { uniqueName } = first;
      await first.close();
      world.asked.respond(uniqueName, 1, 'lost');
      world.asked.respond('org.example.Nobody', 1, 'lost');
      for (const [to, text] of [
        [undefined, 'destination: required on a message bus'],
        ['not a name', 'destination'],
        [{}, 'destination: expected a bus name, a caller, or the context of a call'],
      ] as const) {
        const error = thrown(() => world.asked.respond(to as SignalDestination, 1, ''));
        assert.instance(error, InvalidArgumentError);
        assert.match(error.message, text);
      }
      const wrong = thrown(() => world.asked.respond(second.uniqueName, 'one' as unknown as number, ''));
      assert.instance(wrong, InvalidArgumentError);
      await second.listNames();
      assert.equal(world.logs[1], []);
    });
  }

  testUnless(missing, test, 'the class computes the values, and asynchronous ones follow', async () => {
    await using world = await scene(kinds['a class'] as (act: Act) => Asked, () => {});
    const [, second] = world.clients as [MessageBus, MessageBus];
    const object = new DerivedRequest(() => {});
    world.service.export('/derived', object);
    const returned = object.signalsTo(second.uniqueName).Response(1, 'text');
    assert.equal(returned, [1, 'TEXT']);
    assert.is(await object.signalsTo(second.uniqueName).Late('later'), 'later!');
    await world.settle();
    assert.equal(world.logs, [[], ['Response /derived [1,"TEXT"]', 'Late /derived ["later!"]'], []]);
  });

  testUnless(missing, test, 'a caller gets it long after its call, from all paths, until it leaves', async () => {
    const callers: Caller[] = [];
    await using world = await scene(kinds['a class'] as (act: Act) => Asked, ({ caller }) => callers.push(caller));
    const [first, second] = world.clients as [MessageBus, MessageBus];
    world.service.export('/other', world.asked.object);
    for (const client of [first, second]) await client.proxy(Request, world.destination, '/request').call.Ask('');
    for (const log of world.logs) log.splice(0);
    for (const [index, caller] of callers.entries()) world.asked.respond(caller, index, 'later');
    await world.settle();
    const both = (index: number) => ['/request', '/other'].map((path) => `Response ${path} [${index},"later"]`);
    assert.equal(world.logs, [both(0), both(1), []]);
    await first.close();
    world.asked.respond(callers[0], 2, 'too late');
    await second.listNames();
    assert.equal(world.logs[1], both(1));
  });

  testUnless(missing, test, 'a subscription of the receiver gets it, whichever sender its rule names', async () => {
    await using world = await scene(kinds['implement()'] as (act: Act) => Asked, (call) =>
      world.asked.respond(call, 7, 'mine'),
    );
    await world.service.requestName('org.example.Portal');
    const client = world.clients[2] as MessageBus;
    const portal = client.proxy(Request, 'org.example.Portal', '/request');
    const response = portal.once.Response();
    await portal.call.Ask('');
    assert.equal(await response, [7, 'mine']);
  });

  testUnless(missing, test, 'file descriptors go to the receiver, and are closed once', async () => {
    const Passing = defineInterface('org.example.Passing', { signals: { Passed: { args: 'h' } } });
    await using service = await connect({ address: bus.address });
    await using client = await connect({ address: bus.address });
    const object = implement(Passing, {});
    service.export('/a', object);
    service.export('/b', object);
    const took: number[] = [];
    await client.proxy(Passing, service.uniqueName, '/b').on.Passed((fd) => void took.push(fd.fd)).ready;
    const [reader, writer] = await pipe();
    object.to(client.uniqueName).emit.Passed(reader.handOver());
    await service.listNames();
    await client.listNames();
    assert.is(took.length, 1);
    writer.close();
    assert.ok(reader.closed);
  });

  test.run();
}

const peers = suite('signals to one connection, between peers');

for (const [kind, make] of Object.entries(kinds)) {
  peers(`${kind}: it is an ordinary signal, over the connection of the call`, async () => {
    const asked = make((call) => asked.respond(call, 1, 'to the caller'));
    const pairs = await Promise.all([pair(), pair()]);
    const logs = pairs.map(([client]) => record(client));
    for (const [, service] of pairs) service.export('/request', asked.object);
    const [client] = pairs[1] as [MessageBus, MessageBus];
    await client.proxy(Request, '/request').call.Ask('');
    assert.equal(logs, [[], ['Response /request [1,"to the caller"]', 'reply']]);
    assert.throws(() => asked.respond(undefined, 1, ''), /several connections/);
    await Promise.all(pairs[0]?.map((end) => end.close()) ?? []);
    // Only one connection is left, so nothing is ambiguous.
    asked.respond(undefined, 2, 'alone');
    asked.respond(':1.5', 3, 'ignored');
    await pairs[1]?.[1].flush();
    await client.proxy(Request, '/request').call.Ask('');
    assert.equal(logs[1], [
      'Response /request [1,"to the caller"]',
      'reply',
      'Response /request [2,"alone"]',
      'Response /request [3,"ignored"]',
      'Response /request [1,"to the caller"]',
      'reply',
    ]);
    await Promise.all(pairs[1]?.map((end) => end.close()) ?? []);
  });
}

peers.run();
