// Random subscriptions, signals and changes of owner, against a simple model of which listener gets what, and against the
// list of rules at the bus. On dbus-daemon and dbus-broker, which differ in the rules that they regard as equal.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatMatchRule, type MatchRule } from '../../src/bus/rules/match-rule.js';
import { connect, type MessageBus, type Subscription } from '../../src/index.js';
import { isMet } from '../helpers/match-model.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { replayable } from '../helpers/replay.js';
import { ruleTextsAtBus, timesAtBus } from '../helpers/rules-at-bus.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('subscriptions model');

const RUNS = 50;

const NAMES = ['org.example.A', 'org.example.B'];
const OWN_NAME = 'org.example.Own';
const SELF = 'self';
/** The number of unused rules of one group that the library may keep at the bus. */
const LEFT_OVER = 8;

// Few values of each kind, so that rules match signals, and are often equal or nearly so.
const rules: fc.Arbitrary<MatchRule> = fc
  .tuple(
    fc.constantFrom<MatchRule>(
      {},
      {},
      { sender: 'org.example.A' },
      { sender: 'org.example.B' },
      { sender: 'service 0' },
    ),
    fc.constantFrom<MatchRule>({ interface: 'i.A' }, { member: 'M' }, { interface: 'i.A', member: 'N' }),
    fc.constantFrom<MatchRule>({}, {}, {}, { destination: SELF }),
    fc.constantFrom<MatchRule>(
      {},
      {},
      {},
      { path: '/a' },
      { pathNamespace: '/' },
      { pathNamespace: '/' },
      { pathNamespace: '/a' },
      { pathNamespace: '/a' },
      { pathNamespace: '/a/b' },
      { pathNamespace: '/b' },
      ...Array.from({ length: 12 }, (_, i) => ({ pathNamespace: `/a/b/n${i}` })),
    ),
    fc.constantFrom<MatchRule>(
      {},
      {},
      {},
      {},
      {},
      {},
      { arg0: 'x' },
      { arg0namespace: 'x' },
      { arg0path: '/x/' },
      { arg1: 'y' },
    ),
  )
  .map((parts) => Object.assign({}, ...parts) as MatchRule);

type Step =
  | { readonly do: 'subscribe'; readonly rule: MatchRule }
  | { readonly do: 'unsubscribe'; readonly which: number }
  | { readonly do: 'emit'; readonly from: number; readonly to: string | undefined; readonly signal: Emitted }
  | { readonly do: 'own'; readonly from: number; readonly name: string }
  | { readonly do: 'release'; readonly from: number; readonly name: string };

interface Emitted {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly string[];
}

const emitted: fc.Arbitrary<Emitted> = fc.record({
  path: fc.constantFrom('/', '/a', '/a/b', '/a/b/n1', '/a/bc', '/b/c'),
  interface: fc.constantFrom('i.A', 'i.A', 'i.A', 'i.B'),
  member: fc.constantFrom('M', 'N'),
  body: fc.constantFrom<readonly string[]>([], ['x'], ['x.y', 'y'], ['/x/y'], ['z']),
});

const from = fc.nat(1);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('subscribe' as const), rule: rules }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), which: fc.nat(30) }) },
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant('emit' as const),
        from,
        to: fc.constantFrom(undefined, undefined, SELF, OWN_NAME),
        signal: emitted,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('own' as const, 'release' as const),
        from,
        name: fc.constantFrom(...NAMES),
      }),
    },
  ),
  { minLength: 40, maxLength: 120, size: 'max' },
);

/** A subscription, in the library and in the model. */
interface Listener {
  readonly id: number;
  readonly rule: MatchRule;
  readonly subscription: Subscription;
}

class World {
  readonly #client: MessageBus;
  readonly #services: readonly MessageBus[];
  readonly #daemon: Daemon;
  readonly #owners = new Map<string, number>();
  readonly #heard: string[] = [];
  readonly #expected: string[] = [];
  /** Every rule that was ever subscribed to, as text. */
  readonly #everUsed = new Set<string>();
  #listeners: Listener[] = [];
  #made = 0;
  #sent = 0;
  /**
   * The connection of the last step: the bus keeps the order of each connection, but orders two of them only if one waited.
   */
  #actor: MessageBus | undefined;

  constructor(client: MessageBus, services: readonly MessageBus[], daemon: Daemon) {
    this.#client = client;
    this.#services = services;
    this.#daemon = daemon;
  }

  async act(step: Step): Promise<void> {
    await this.#turnTo(step.do === 'subscribe' || step.do === 'unsubscribe' ? this.#client : this.#service(step.from));
    switch (step.do) {
      case 'subscribe':
        this.#subscribe(step.rule);
        break;
      case 'unsubscribe':
        this.#unsubscribe(step.which);
        break;
      case 'emit':
        this.#emit(step.from, step.to, step.signal);
        break;
      case 'own':
        await this.#service(step.from).requestName(step.name, { replace: true, allowReplacement: true });
        this.#owners.set(step.name, step.from);
        break;
      case 'release':
        if (this.#owners.get(step.name) !== step.from) break;
        await this.#service(step.from).releaseName(step.name);
        this.#owners.delete(step.name);
        break;
    }
  }

  /** The number of signals that were delivered to listeners. */
  get deliveries(): number {
    return this.#heard.length;
  }

  async check(): Promise<void> {
    await this.#turnTo(undefined);
    assert.equal(this.#heard, this.#expected);
    assert.is(this.#client.stats().subscriptions, this.#listeners.length);
    await this.#checkRules();
  }

  /** Everything is ended. */
  async end(): Promise<void> {
    await this.#turnTo(this.#client);
    while (this.#listeners.length > 0) this.#unsubscribe(0);
    await this.check();
    const { matchRules, subscriptions } = this.#client.stats();
    assert.equal([matchRules, subscriptions], [0, 0]);
    for (const [name, service] of this.#owners) await this.#service(service).releaseName(name);
  }

  #service(index: number): MessageBus {
    return this.#services[index] as MessageBus;
  }

  async #turnTo(actor: MessageBus | undefined): Promise<void> {
    if (this.#actor === actor) return;
    await this.#actor?.listNames();
    // The messages that it sent to the client have arrived as well.
    await this.#client.listNames();
    this.#actor = actor;
  }

  #subscribe(wanted: MatchRule): void {
    const rule = { ...wanted };
    if (wanted.sender === 'service 0') Object.assign(rule, { sender: this.#service(0).uniqueName });
    if (wanted.destination === SELF) Object.assign(rule, { destination: this.#client.uniqueName });
    const id = ++this.#made;
    const listener = ({ body }: { readonly body: readonly unknown[] }) => void this.#heard.push(`${id} ${body.at(-1)}`);
    this.#listeners.push({ id, rule, subscription: this.#client.subscribe(rule, listener) });
    this.#everUsed.add(textOf(rule));
  }

  #unsubscribe(which: number): void {
    const [ended] = this.#listeners.splice(which % (this.#listeners.length || 1), 1);
    ended?.subscription.end();
  }

  #emit(service: number, to: string | undefined, { body: words, ...signal }: Emitted): void {
    const sender = this.#service(service);
    const destination = to === SELF ? this.#client.uniqueName : to;
    // The number of the signal is its last argument, so that no condition matches it.
    const body = [...words, `signal ${++this.#sent}`];
    sender.emit({ ...signal, destination, signature: 's'.repeat(body.length), body });
    const message = {
      ...signal,
      type: 4,
      sender: sender.uniqueName,
      // A rule for messages to the client means all of its names.
      destination: destination === undefined ? undefined : this.#client.uniqueName,
      signature: 's'.repeat(body.length),
      stringAt: (index: number) => body[index] as string,
    };
    for (const { id, rule } of this.#listeners) {
      const owner = NAMES.includes(rule.sender ?? '') ? this.#owners.get(rule.sender as string) : service;
      const senderRule = NAMES.includes(rule.sender ?? '') ? { ...rule, sender: sender.uniqueName } : rule;
      if (owner === service && isMet(definedOf(senderRule), message)) this.#expected.push(`${id} ${body.at(-1)}`);
    }
  }

  /** The bus has every needed rule once, and at most the allowed number of unused rules of a group. */
  async #checkRules(): Promise<void> {
    const needed = new Set(this.#listeners.map(({ rule }) => textOf(rule)));
    for (const { rule } of this.#listeners)
      if (NAMES.includes(rule.sender ?? '')) needed.add(followUp(rule.sender as string));
    assert.is(this.#client.stats().matchRules, needed.size);
    if (this.#daemon === 'dbus-broker') {
      // The library decides which unused rules remain; in the end the test checks that there are no others.
      const texts = needed.size === 0 ? [...this.#everUsed, ...NAMES.map(followUp)] : [...needed].slice(0, 5);
      for (const text of texts) assert.is(await timesAtBus(this.#client, text), needed.has(text) ? 1 : 0, text);
      return;
    }
    const texts = await ruleTextsAtBus(this.#client);
    assert.is(new Set(texts).size, texts.length, 'a rule is there twice');
    for (const text of needed) assert.ok(texts.includes(text), `${text} is missing of ${texts.join('; ')}`);
    const groups = new Map<string, number>();
    for (const text of texts) {
      if (needed.has(text)) continue;
      assert.ok(this.#everUsed.has(text) && text.includes('path_namespace'), `${text} is left over`);
      groups.set(groupOf(text), (groups.get(groupOf(text)) ?? 0) + 1);
    }
    for (const [group, leftOver] of groups) {
      const members = [...needed].filter((text) => text.includes('path_namespace') && groupOf(text) === group).length;
      assert.ok(members > 0 && leftOver <= Math.max(LEFT_OVER, members), `${leftOver} of ${group} to ${members}`);
    }
  }
}

const textOf = (rule: MatchRule) => formatMatchRule({ ...rule, type: 'signal' });
const groupOf = (text: string) => text.replace(/,path_namespace='[^']*'/, '');
const followUp = (name: string) =>
  textOf({
    sender: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'NameOwnerChanged',
    arg0: name,
  });
const definedOf = (rule: MatchRule) =>
  Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined)) as MatchRule;

for (const daemon of ['dbus-daemon', 'dbus-broker'] as const) {
  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `every subscription gets the signals that the model says: ${daemon}`,
    async () => {
      await using bus = await PrivateBus.start({ daemon });
      await using client = await connect({ address: bus.address });
      await using one = await connect({ address: bus.address });
      await using two = await connect({ address: bus.address });
      await client.requestName(OWN_NAME);
      let deliveries = 0;
      await fc.assert(
        fc.asyncProperty(steps, async (script) => {
          const world = new World(client, [one, two], daemon);
          let count = 0;
          for (const step of script) {
            await world.act(step);
            if (++count % 10 === 0) await world.check();
          }
          await world.check();
          await world.end();
          deliveries += world.deliveries;
        }),
        replayable(RUNS),
      );
      assert.ok(deliveries > 200, `only ${deliveries} signals were received, which proves nothing`);
    },
  );

  testUnless(
    PrivateBus.missing({ daemon }),
    test,
    `one namespace stays while many come and go: ${daemon}`,
    async () => {
      await using bus = await PrivateBus.start({ daemon });
      await using client = await connect({ address: bus.address });
      await using service = await connect({ address: bus.address });
      const heard: string[] = [];
      const stays = client.subscribe({ interface: 'i.A', pathNamespace: '/stays' }, ({ path }) =>
        heard.push(`${path}`),
      );
      const expected: string[] = [];
      for (let round = 0; round < 100; round++) {
        const passing = client.subscribe({ interface: 'i.A', pathNamespace: `/passing/n${round}` }, () => {});
        if (round % 3 === 0) await passing.ready;
        passing.end();
        await client.listNames();
        service.emit({ path: `/stays/n${round}`, interface: 'i.A', member: 'M' });
        expected.push(`/stays/n${round}`);
        await service.listNames();
        await client.listNames();
        if (daemon === 'dbus-daemon') {
          const { length } = await ruleTextsAtBus(client);
          assert.ok(length <= LEFT_OVER + 2, `${length} rules for the one that is needed`);
        }
      }
      assert.equal(heard, expected);
      stays.end();
      for (const text of [textOf({ interface: 'i.A', pathNamespace: '/stays' }), textOf({ interface: 'i.A' })]) {
        assert.is(await timesAtBus(client, text), 0);
      }
      if (daemon === 'dbus-daemon') assert.equal(await ruleTextsAtBus(client), []);
    },
  );
}

test.run();
