// Slow values among immediate ones: no message has a value that is older than one in an earlier message, whatever the
// microtask of a change and whatever reads came before. (slow-order-model.test.ts has random programs.)
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, FileDescriptor, implement, type MessageBus } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const Slow = defineInterface('org.example.Slow', {
  properties: { Later: { type: 'u', access: 'read' }, Number: { type: 'u' }, File: { type: 'h', access: 'read' } },
});

/** The number of microtasks between the answer of a getter and a change: more than anything here needs. */
const HOPS = 24;

const nextRound = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Call {
  readonly answer: () => void;
  readonly fail: () => void;
}

/** An object whose getter answers when the test says so, with the value at the time of the read. */
class SlowObject {
  later = 1;
  isSlow = true;
  /** The reads of the getter, and of the one that opens a file. */
  readonly asked: Call[] = [];
  readonly files: FileDescriptor[] = [];
  readonly object = implement(Slow, {
    Later: { get: () => (this.isSlow ? this.#call(this.later) : this.later) },
    Number: 1,
    File: { get: () => (this.isSlow ? this.#call(this.#open()) : this.#open()) },
  });

  /** Answers the pending reads, and the reads that follow from them, until none is pending. */
  async answerAll(isEnough: () => boolean): Promise<void> {
    await until(() => {
      for (const { answer } of this.asked.splice(0)) answer();
      return isEnough();
    });
  }

  #open(): FileDescriptor {
    const file = FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
    this.files.push(file);
    return file;
  }

  #call<Value>(value: Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.asked.push({ answer: () => resolve(value), fail: () => reject(new Error('it fails')) });
    });
  }
}

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const missing = PrivateBus.missing({ daemon });
  const test = suite(`the order of slow values, on ${daemon}`);
  let bus: PrivateBus;
  let client: MessageBus;

  test.before(async () => {
    if (missing !== undefined) return;
    bus = await PrivateBus.start({ daemon });
    client = await connect({ address: bus.address });
  });
  test.after(async () => {
    await client?.close();
    await bus?.stop();
  });

  /** The values that the client got, by their properties, in the order of the wire. */
  async function serve() {
    const service = await connect({ address: bus.address });
    service.exportObjectManager('/');
    const slow = new SlowObject();
    const got: [string, unknown][] = [];
    const subscription = client.subscribe({ sender: service.uniqueName as string }, ({ member, body }) => {
      if (member === 'InterfacesAdded') note((body[1] as Record<string, object>)['org.example.Slow'] as object);
      if (member !== 'PropertiesChanged') return;
      note(body[1] as object);
      for (const name of body[2] as string[]) got.push([name, 'invalid']);
    });
    await subscription.ready;
    const note = (values: object) => {
      for (const [name, value] of Object.entries(values)) if (name !== 'File') got.push([name, value]);
    };
    const standard = { destination: service.uniqueName as string };
    const ask = {
      Get: async () => {
        const call = { ...standard, path: '/slow', interface: 'org.freedesktop.DBus.Properties', member: 'Get' };
        const [value] = await client.call({ ...call, signature: 'ss', body: ['org.example.Slow', 'Later'] });
        note({ Later: value });
      },
      GetAll: async () => {
        const call = { ...standard, path: '/slow', interface: 'org.freedesktop.DBus.Properties', member: 'GetAll' };
        const [values] = await client.call({ ...call, signature: 's', body: ['org.example.Slow'] });
        note(values as object);
      },
      GetManagedObjects: async () => {
        const call = { ...standard, path: '/', interface: 'org.freedesktop.DBus.ObjectManager' };
        const [objects] = await client.call({ ...call, member: 'GetManagedObjects' });
        note((objects as Record<string, Record<string, object>>)['/slow']?.['org.example.Slow'] as object);
      },
    };
    const arrived = async () => {
      await service.listNames();
      await client.listNames();
    };
    const end = async () => {
      subscription.end();
      await service.close();
    };
    return { service, slow, got, ask, arrived, end };
  }

  const valuesOf = (got: readonly (readonly [string, unknown])[], name: string) =>
    got.flatMap(([each, value]) => (each === name ? [value] : []));

  for (const member of ['Get', 'GetAll', 'GetManagedObjects'] as const) {
    testUnless(missing, test, `the answer of ${member} is as new as a change in any microtask before it`, async () => {
      for (let hops = 0; hops < HOPS; hops++) {
        const { service, slow, got, ask, arrived, end } = await serve();
        service.export('/slow', slow.object);
        await nextRound();
        await slow.answerAll(() => slow.asked.length === 0);
        await arrived();
        got.length = 0;
        let isAnswered = false;
        const answered = ask[member]().then(() => {
          isAnswered = true;
        });
        await until(() => slow.asked.length > 0);
        for (const { answer } of slow.asked.splice(0)) answer();
        for (let hop = 0; hop < hops; hop++) await null;
        slow.later = 2;
        slow.object.emitPropertiesChanged({ Later: 2 });
        slow.object.properties.Number = 2;
        await slow.answerAll(() => isAnswered);
        await answered;
        await arrived();
        const expected = member === 'Get' ? ['Later'] : ['Later', 'Number'];
        for (const name of expected) {
          const values = valuesOf(got, name);
          assert.is(values.at(-1), 2, `${hops} hops: ${JSON.stringify(got)}`);
          assert.equal([...values].sort(), values, `${hops} hops: ${JSON.stringify(got)}`);
        }
        await end();
      }
    });
  }

  // Shrunk from the seed 1707580645 of the model: the announcement is sent because the answer is, and reads the value then.
  const announcements: Readonly<Record<string, (slow: SlowObject, service: MessageBus) => unknown>> = {
    'an export': ({ object }, service) => service.export('/elsewhere', object),
    'a change by its name': ({ object }) => object.emitPropertiesChanged(['Later']),
  };
  for (const member of ['Get', 'GetAll', 'GetManagedObjects'] as const) {
    for (const [what, announce] of Object.entries(announcements)) {
      testUnless(missing, test, `the answer of ${member} is as new as ${what} that it sends first`, async () => {
        for (let hops = 0; hops < HOPS; hops++) {
          const { service, slow, got, ask, arrived, end } = await serve();
          service.export('/slow', slow.object);
          await nextRound();
          await slow.answerAll(() => slow.asked.length === 0);
          await arrived();
          got.length = 0;
          let isAnswered = false;
          const answered = ask[member]().then(() => {
            isAnswered = true;
          });
          await until(() => slow.asked.length > 0);
          slow.later = 2;
          slow.isSlow = false;
          for (const { answer } of slow.asked.splice(0)) answer();
          for (let hop = 0; hop < hops; hop++) await null;
          const wasAnswered = isAnswered;
          announce(slow, service);
          await slow.answerAll(() => isAnswered);
          await answered;
          await arrived();
          const values = valuesOf(got, 'Later');
          assert.is(wasAnswered, false);
          assert.equal([...values].sort(), values, `${hops} hops: ${JSON.stringify(got)}`);
          assert.is(values.at(-1), 2, `${hops} hops: ${JSON.stringify(got)}`);
          await end();
        }
      });
    }
  }

  const begins: Readonly<Record<string, (slow: SlowObject, service: MessageBus) => Promise<void>>> = {
    'its export': async () => {},
    'a change by its name': async (slow) => {
      await slow.answerAll(() => slow.asked.length === 0);
      await nextRound();
      slow.object.emitPropertiesChanged(['Later']);
      await until(() => slow.asked.length > 0);
    },
  };
  const ends: Readonly<Record<string, (call: Call | undefined) => void>> = {
    answers: (call) => call?.answer(),
    fails: (call) => call?.fail(),
  };
  for (const [begun, begin] of Object.entries(begins)) {
    for (const [ended, finish] of Object.entries(ends)) {
      testUnless(
        missing,
        test,
        `a getter that ${begun} began and ${ended} is not sent after a given value`,
        async () => {
          const { service, slow, got, arrived, end } = await serve();
          service.export('/slow', slow.object);
          await until(() => slow.asked.length > 0);
          await begin(slow, service);
          slow.later = 9;
          slow.object.emitPropertiesChanged({ Later: 9 });
          await nextRound();
          // The failure of that getter is reported.
          const ignore = () => {};
          subscribe('busbar:problem', ignore);
          for (const call of slow.asked.splice(0)) finish(call);
          await nextRound();
          unsubscribe('busbar:problem', ignore);
          await arrived();
          assert.is(valuesOf(got, 'Later').at(-1), 9, JSON.stringify(got));
          await end();
        },
      );
    }
  }

  testUnless(missing, test, 'nor after a value that the getter gives at once', async () => {
    const { service, slow, got, arrived, end } = await serve();
    service.export('/slow', slow.object);
    await until(() => slow.asked.length > 0);
    slow.isSlow = false;
    slow.later = 2;
    slow.object.emitPropertiesChanged(['Later']);
    // In the same tick, so that the change has not read its value yet.
    for (const { answer } of slow.asked.splice(0)) answer();
    await nextRound();
    await arrived();
    assert.equal(valuesOf(got, 'Later'), [2]);
    await end();
  });

  testUnless(missing, test, 'a change whose getter is overtaken by an answer is sent even so', async () => {
    const { service, slow, got, ask, arrived, end } = await serve();
    service.export('/slow', slow.object);
    await until(() => slow.asked.length > 0);
    const first = slow.asked.splice(0);
    slow.later = 2;
    slow.isSlow = false;
    await ask.Get();
    for (const { answer } of first) answer();
    await nextRound();
    await arrived();
    assert.equal(valuesOf(got, 'Later'), [2, 2]);
    await end();
  });

  testUnless(missing, test, 'of two Gets, neither answers with a value older than the one before', async () => {
    const { service, slow, got, ask, end } = await serve();
    service.export('/slow', slow.object);
    await until(() => slow.asked.length > 0);
    slow.asked.length = 0;
    const both = [ask.Get()];
    await until(() => slow.asked.length === 1);
    slow.later = 2;
    both.push(ask.Get());
    await until(() => slow.asked.length === 2);
    slow.asked[1]?.answer();
    await both[1];
    slow.asked[0]?.answer();
    await both[0];
    assert.equal(valuesOf(got, 'Later'), [2, 2]);
    await end();
  });

  testUnless(missing, test, 'two answers that wait for one getter have a descriptor each', async () => {
    const { service, slow, ask, end } = await serve();
    service.export('/slow', slow.object);
    await until(() => slow.asked.length > 0);
    slow.asked.length = 0;
    slow.files.length = 0;
    let answered = 0;
    const both = [ask.GetAll(), ask.GetAll()].map((each) => each.then(() => answered++));
    await until(() => slow.asked.length === 4);
    await slow.answerAll(() => answered === 2);
    await Promise.all(both);
    await until(() => slow.files.every(({ closed }) => closed));
    assert.ok(slow.files.length >= 2);
    await end();
  });

  test.run();
}
