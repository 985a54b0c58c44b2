// A portal with several clients, by random steps: each client gets the answers to its own requests, each once, in the order
// of the service's program, whether they are sent before the reply, with it, or later. On both daemons.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  connect,
  defineInterface,
  implement,
  type MessageBus,
  MessageType,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Random } from '../helpers/random-numbers.js';
import { seed } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';

const STEPS = Number(process.env.BUSBAR_STEPS ?? 300);
const CLIENTS = 4;
const Portal = defineInterface('org.example.Portal', {
  methods: { Ask: { in: ['id:u', 'moments:as'] } },
  signals: { Told: { args: ['id:u', 'moment:s'] } },
  properties: { Asked: { type: 'u', access: 'read' } },
});
const Request = defineInterface('org.example.Request', { signals: { Response: { args: ['id:u', 'moment:s'] } } });

/** When a response is sent: in the handler, in it after a wait, when the reply has been sent, or with the next step. */
const MOMENTS = ['before', 'awaited', 'after', 'next'];

interface Client {
  readonly bus: MessageBus;
  /** What it got, and what it has to get, in the order of the wire. */
  readonly got: string[];
  readonly expected: string[];
  /** The requests of its calls, by their serials. */
  readonly requests: Map<number | undefined, number>;
  /** Whether it gets signals to all. */
  readonly hears: boolean;
}

class World {
  readonly #address: string;
  readonly #below: (limit: number) => number;
  readonly service: MessageBus;
  clients: Client[] = [];
  /** Responses that are sent with the next step. */
  #waiting: (() => void)[] = [];
  #number = 0;
  readonly #portal;

  constructor(address: string, service: MessageBus, below: (limit: number) => number) {
    this.#address = address;
    this.#below = below;
    this.service = service;
    this.#portal = implement(Portal, {
      Ask: (id, moments, call) => this.#answer(id, moments, call),
      Asked: 0,
    });
    service.export('/portal', this.#portal);
    // A second path of the portal, from which its callers know it.
    service.export('/portal/again', this.#portal);
  }

  #answer(id: number, moments: string[], call: CallContext): void | Promise<void> {
    const request = implement(Request, {});
    const exported = this.service.export(`/portal/request/${id}`, request);
    const respond = (moment: string) => {
      // By the context of the call, or by the name of its caller.
      request.to(id % 2 === 0 ? call : call.sender).emit.Response(id, moment);
      this.#portal.to(call).emit.Told(id, moment);
    };
    if (moments.includes('before')) respond('before');
    if (moments.includes('next')) this.#waiting.push(() => respond('next'));
    const end = () => {
      if (moments.includes('after')) respond('after');
      if (!moments.includes('next')) exported.end();
    };
    const later = () => setImmediate(end);
    if (!moments.includes('awaited')) {
      later();
      return undefined;
    }
    return Promise.resolve().then(() => {
      respond('awaited');
      later();
    });
  }

  async addClient(): Promise<void> {
    const bus = await connect({ address: this.#address });
    const client: Client = { bus, got: [], expected: [], requests: new Map(), hears: this.#below(2) === 0 };
    bus.addMessageHandler(
      ({ type, path, member, body, sender, replySerial }) => {
        if (sender === 'org.freedesktop.DBus' || sender === undefined) return;
        if (type === MessageType.Signal) client.got.push(`${member} ${path} ${body.join(' ')}`);
        if (type === MessageType.MethodReturn)
          client.got.push(`reply ${replySerial} ${client.requests.get(replySerial)}`);
        if (type === MessageType.Error) client.got.push(`error ${body[0]}`);
      },
      { replies: true },
    );
    if (client.hears) await bus.subscribe({ interface: Portal.name }, () => {}).ready;
    this.clients.push(client);
  }

  async removeClient(): Promise<void> {
    const [client] = this.clients.splice(this.#below(this.clients.length), 1);
    await client?.bus.close();
  }

  /** Some clients ask at the same time, and some of them several times. */
  async ask(): Promise<void> {
    const asking = this.clients.filter(() => this.#below(3) > 0);
    await Promise.all(
      asking.flatMap((client) => Array.from({ length: 1 + this.#below(2) }, () => this.#askOne(client))),
    );
  }

  async #askOne({ bus, expected, requests }: Client): Promise<void> {
    const id = this.#number++;
    const moments = MOMENTS.filter(() => this.#below(2) === 0);
    const path = this.#below(2) === 0 ? '/portal' : '/portal/again';
    const serial = bus.reserveSerial();
    requests.set(serial, id);
    const call = { destination: this.service.uniqueName as string, path, interface: Portal.name, member: 'Ask' };
    const answer = bus.call({ ...call, signature: 'uas', body: [id, moments], serial });
    const told = (moment: string) => [`Response /portal/request/${id} ${id} ${moment}`, `Told ${path} ${id} ${moment}`];
    const at = (moment: string) => (moments.includes(moment) ? told(moment) : []);
    expected.push(...at('before'), ...at('awaited'), `reply ${serial} ${id}`, ...at('after'), ...at('next'));
    await answer;
  }

  /** Sends what is due, and a signal to all, which those with a subscription get from both paths. */
  sendDue(): void {
    for (const respond of this.#waiting.splice(0)) respond();
    if (this.#below(2) === 0) return;
    const id = this.#number++;
    this.#portal.emit.Told(id, 'all');
    for (const { hears, expected } of this.clients)
      if (hears) expected.push(`Told /portal ${id} all`, `Told /portal/again ${id} all`);
  }

  async check(): Promise<void> {
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    this.sendDue();
    await this.service.listNames();
    for (const { bus, got, expected } of this.clients) {
      await bus.listNames();
      // Requests at the same time: the events of each are in its order.
      assert.equal([...got].sort(), [...expected].sort());
      for (const id of idsOf(expected)) assert.equal(ofRequest(got, id), ofRequest(expected, id));
      got.splice(0);
      expected.splice(0);
    }
  }
}

const idsOf = (events: readonly string[]) => new Set(events.map((event) => event.split(' ')[2]));
/** The signals and the reply of a request, in their order. */
const ofRequest = (events: readonly string[], id: string | undefined) =>
  events.filter((event) => event.split(' ')[2] === id);

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const test = suite(`directed signals model, on ${daemon}`);
  testUnless(PrivateBus.missing({ daemon }), test, `requests of several clients, seed ${seed}`, async () => {
    await using bus = await PrivateBus.start({ daemon });
    const random = new Random(seed);
    const below = (limit: number) => random.below(limit);
    await using service = await connect({ address: bus.address });
    const world = new World(bus.address, service, below);
    for (let count = 0; count < CLIENTS; count++) await world.addClient();
    for (let step = 0; step < STEPS; step++) {
      const kind = below(20);
      if (kind === 0 && world.clients.length > 1) await world.removeClient();
      else if (kind === 1 && world.clients.length < 2 * CLIENTS) await world.addClient();
      else await world.ask();
      await world.check();
    }
    assert.is(service.stats().callsInProgress, 0);
    for (const client of world.clients) await client.bus.close();
  });
  test.run();
}
