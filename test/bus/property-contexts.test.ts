// Getters and setters know the call that they answer; they know none if the program, or an announcement, reads the value.
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { currentCall } from '../../src/current-call.js';
import { type CallContext, defineInterface, implement, property, ServiceInterface, standard } from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { until } from '../helpers/until.js';

const test = suite('contexts of properties');
const { client, service, destination, stop } = await startClientAndService();
test.after(stop);

const NAME = 'org.example.Dial';
const Dial = defineInterface(NAME, {
  methods: { Turn: {} },
  properties: {
    Level: { type: 'u' },
    Slow: { type: 'u', access: 'read', emits: false },
    Plain: { type: 'u' },
  },
});

/** What a call is, for comparison. */
const shown = (call: CallContext | undefined) => call && [call.sender, call.interface, call.member, call.path];
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const of = (member: string, path = '/dial', interfaceName = PROPERTIES) => [
  client.uniqueName,
  interfaceName,
  member,
  path,
];

function assertAll(seen: readonly unknown[], expected: unknown): void {
  assert.ok(seen.length > 1);
  for (const each of seen) assert.equal(each, expected);
}

function dial() {
  const reads: unknown[] = [];
  const writes: unknown[] = [];
  let level = 1;
  const object = implement(Dial, {
    Turn() {
      object.properties.Level = 9;
      reads.push('turned');
    },
    Level: {
      get(call) {
        assert.equal(shown(call), shown(currentCall()));
        reads.push(shown(call));
        return level;
      },
      set(value, call) {
        writes.push(shown(call));
        level = value;
      },
    },
    Slow: {
      async get(call) {
        await delay(1);
        assert.equal(shown(call), shown(currentCall()));
        reads.push(shown(call));
        return 7;
      },
    },
    Plain: 3,
  });
  return { object, reads, writes };
}

test('Get, GetAll, Set and GetManagedObjects pass their contexts', async () => {
  const { object, reads, writes } = dial();
  using _manager = service.exportObjectManager('/');
  using _dial = service.export('/dial', object);
  await until(() => reads.length === 2);
  // The announcement of the object asked as well.
  assert.equal(reads.splice(0), [undefined, undefined]);
  const proxy = client.proxy(Dial, destination, '/dial');
  assert.is(await proxy.get.Level(), 1);
  assert.equal(reads.splice(0), [of('Get')]);
  assert.is(await proxy.get.Slow(), 7);
  assert.equal(reads.splice(0), [of('Get')]);
  assert.equal({ ...(await proxy.getAll()) }, { Level: 1, Slow: 7, Plain: 3 });
  // A value may be read again while a slow one is awaited.
  assertAll(reads.splice(0), of('GetAll'));
  await client.proxy(standard.ObjectManager, destination, '/').call.GetManagedObjects();
  assertAll(reads.splice(0), of('GetManagedObjects', '/', 'org.freedesktop.DBus.ObjectManager'));
  await proxy.set.Level(5);
  assert.equal(writes, [of('Set')]);
  // Before and after the change, for its announcement.
  assert.ok(reads.length > 0);
  assert.equal(new Set(reads.splice(0)), new Set([undefined]));
});

test('the program itself, and announcements, have no call', async () => {
  const { object, reads, writes } = dial();
  using _dial = service.export('/dial', object);
  object.properties.Level = 2;
  assert.is(object.properties.Level, 2);
  object.emitPropertiesChanged(['Level']);
  await client.listNames();
  assert.equal(new Set([...reads.splice(0), ...writes.splice(0)]), new Set([undefined]));
  // Also if a handler causes them.
  await client.proxy(Dial, destination, '/dial').call.Turn();
  assert.equal(writes, [undefined]);
  assert.ok(reads.includes('turned') && reads.length > 1);
  assert.equal(new Set(reads.filter((read) => read !== 'turned')), new Set([undefined]));
});

test('the members of a class ask currentCall', async () => {
  const seen: (readonly [string, unknown])[] = [];
  class Knob extends ServiceInterface {
    #level = 0;

    constructor() {
      super('org.example.Knob');
    }

    @property({ type: 'u' })
    get Level(): number {
      seen.push(['get', shown(currentCall())]);
      return this.#level;
    }

    set Level(value: number) {
      seen.push(['set', shown(currentCall())]);
      this.#level = value;
    }
  }
  const knob = new Knob();
  using _knob = service.export('/knob', knob);
  const proxy = client.proxy(Knob, destination, '/knob');
  await proxy.set.Level(4);
  const callsOf = (kind: string) => seen.filter(([seenKind]) => seenKind === kind).map(([, call]) => call);
  assert.equal(callsOf('set'), [of('Set', '/knob')]);
  // For the announcement of the change.
  assert.equal(new Set(callsOf('get')), new Set([undefined]));
  seen.length = 0;
  assert.is(await proxy.get.Level(), 4);
  assert.equal(seen, [['get', of('Get', '/knob')]]);
});

test.run();
