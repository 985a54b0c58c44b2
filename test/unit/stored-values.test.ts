// Values of properties behind accessors and functions, of other types, and with file descriptors.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/diagnostics/problems.js';
import { defineInterface, FileDescriptor, implement, property, ServiceInterface, variant } from '../../src/index.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { changed, RecordingOutlet } from '../helpers/recording-outlet.js';
import { refusal } from '../helpers/refusal.js';

const test = suite('stored values');

async function problemsDuring(act: () => unknown): Promise<string[]> {
  const problems: string[] = [];
  const listener = (problem: unknown) => void problems.push((problem as Problem).message);
  subscribe('busbar:problem', listener);
  try {
    await act();
    return problems;
  } finally {
    unsubscribe('busbar:problem', listener);
  }
}

const Level = defineInterface('org.example.Level', { properties: { Level: { type: 'u' } } });
const Pos = defineInterface('org.example.Pos', { properties: { Pos: { type: 'x', access: 'read' } } });

test('accessors of a class and of an object are getters and setters', async () => {
  class Kept {
    level = 1;
    get Level(): number {
      return this.level;
    }
    set Level(value: number) {
      this.level = Math.min(value, 10);
    }
  }
  const kept = new Kept();
  const object = implement(Level, kept as { Level: number });
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  exportableOf(object).properties.set('Level', 50);
  assert.is(kept.level, 10);
  assert.is(object.properties.Level, 10);
  assert.equal(await outlet.settled(), changed({ Level: 10 }));

  let pos = 5n;
  const reading = implement(Pos, {
    get Pos() {
      return pos;
    },
  });
  pos = 6n;
  assert.is(exportableOf(reading).properties.get('Pos'), 6n);
  assert.match(
    refusal(() =>
      implement(Level, {
        get Level() {
          return 5;
        },
      } as never),
    ),
    /has the access "readwrite", but no setter/,
  );
});

test('functions that set the present value announce nothing', async () => {
  let level = 1;
  const object = implement(Level, {
    Level: {
      get: () => level,
      set: (value) => {
        level = value;
      },
    },
  });
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  object.properties.Level = 1;
  exportableOf(object).properties.set('Level', 1);
  assert.equal(await outlet.settled(), []);
  object.properties.Level = 2;
  assert.equal(await outlet.settled(), changed({ Level: 2 }));
});

test('a variant of another type is another value', async () => {
  const Any = defineInterface('org.example.Any', { properties: { Any: { type: 'v' } } });
  class AnyObject extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Any';
    @property({ type: 'v' })
    accessor Any: unknown = '';
  }
  for (const object of [implement(Any, { Any: '' }), new AnyObject()]) {
    const outlet = new RecordingOutlet();
    outlet.attachTo(object);
    const { properties } = exportableOf(object);
    for (const [value, times] of [
      [variant.s('/a'), 1],
      [variant.o('/a'), 1],
      [variant.o('/a'), 0],
      [variant.s('/a'), 1],
    ] as const) {
      properties.set('Any', value);
      assert.is((await outlet.settled()).length, times, `${value.signature}`);
    }
  }
});

for (const getter of ['at once', 'later'] as const) {
  for (const [first, last] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const how = `with a getter that answers ${getter}, the ${['first', 'second'][first]} one done first`;
    test(`setters that overlap do not mix the types of their values, ${how}`, async () => {
      const Any = defineInterface('org.example.Any', { properties: { Any: { type: 'a{sv}' } } });
      const done: (() => void)[] = [];
      let any: Record<string, unknown> = {};
      const object = implement(Any, {
        Any: {
          get: () => (getter === 'at once' ? any : Promise.resolve(any)),
          set: (value) => {
            any = value;
            return new Promise<void>((resolve) => done.push(resolve));
          },
        },
      });
      const { properties } = exportableOf(object);
      const both = [variant.y(1), variant.u(1)].map((level) => properties.set('Any', { level }));
      for (const each of [first, last]) {
        // While both run, it is already the second one.
        assert.equal(await properties.get('Any'), { level: variant.u(1) });
        done[each]?.();
        await both[each];
      }
      assert.equal(await properties.get('Any'), { level: variant.u(1) });
    });
  }
}

test('a getter whose value is of another type has changed even so', async () => {
  let level: unknown = 1;
  const object = implement(Level, {
    Level: {
      get: () => level as number,
      set: () => {
        level = 'wrong';
      },
    },
  });
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  const problems = await problemsDuring(async () => {
    object.properties.Level = 2;
    assert.equal(await outlet.settled(), changed({}, 'Level'));
    object.emitPropertiesChanged(['Level']);
    assert.equal(await outlet.settled(), changed({}, 'Level'));
  });
  assert.is(problems.length, 2);
});

test('a change that a getter makes while changes are collected is sent', async () => {
  class Counting extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Counting';
    @property({ type: 'u' })
    accessor Reads = 0;
    @property({ type: 'u' })
    get Level(): number {
      this.Reads++;
      return 7;
    }
  }
  const object = new Counting();
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  object.emitPropertiesChanged(['Level']);
  const told = [...(await outlet.settled()), ...(await outlet.settled())];
  assert.equal(told, [...changed({ Level: 7 }), ...changed({ Reads: 1 })]);
});

test('descriptors that were handed over are closed after the last path, or at once if there is none', async () => {
  const Files = defineInterface('org.example.Files', {
    signals: { Opened: { args: 'h' } },
    properties: { File: { type: 'h' } },
  });
  const opened = () => FileDescriptor.adopt(openSync('/dev/null', 'r')).handOver();
  for (const places of [0, 1, 3]) {
    let kept = FileDescriptor.adopt(openSync('/dev/null', 'r'));
    const object = implement(Files, { File: kept });
    const outlets = Array.from({ length: places }, () => new RecordingOutlet());
    for (const outlet of outlets) outlet.attachTo(object);
    const file = opened();
    object.emit.Opened(file);
    // With one path, the message closes them, which a recording outlet does not send.
    if (places !== 1) assert.ok(file.closed, `${places} places`);
    else file.close();
    const value = opened();
    object.properties.File = value;
    for (const outlet of outlets) await outlet.settled();
    if (places > 0) assert.ok(value.closed, `${places} places, as a property`);
    else value.close();
    kept.close();
    kept = value;
  }
  const bare = openSync('/dev/null', 'r');
  closeSync(bare);
});

test.run();
