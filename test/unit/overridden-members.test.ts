// Classes that override decorated members, with methods, accessors and fields.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Emits, property, ServiceInterface, signal } from '../../src/index.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { changed, RecordingOutlet } from '../helpers/recording-outlet.js';
import { refusal } from '../helpers/refusal.js';

const test = suite('overridden members');

class Base extends ServiceInterface {
  static override readonly interfaceName: string = 'org.example.Base';

  @property({ type: 'u' })
  accessor Level = 1;

  #mode = 'off';

  @property({ type: 's' })
  get Mode(): string {
    return this.#mode;
  }
  set Mode(value: string) {
    this.#mode = value;
  }

  @signal({ args: 'u' })
  Born(level: number): Emits<number> {
    return level;
  }
}

class Plain extends Base {
  override Born(level: number): Emits<number> {
    return level + 1;
  }

  override get Mode(): string {
    return super.Mode;
  }
  override set Mode(value: string) {
    super.Mode = value.toUpperCase();
  }
}

class Calling extends Plain {
  override Born(level: number): Emits<number> {
    return super.Born(super.Born(level));
  }
}

class Anew extends Base {
  @(signal({ args: ['level:u', 'more:s'] }) as (value: unknown, context: unknown) => void)
  override Born(level: number): never {
    super.Born(level);
    return [level, 'more'] as never;
  }

  @property({ type: 's' })
  override get Mode(): string {
    return super.Mode;
  }
  override set Mode(value: string) {
    super.Mode = value;
  }
}

test('the most derived signal is emitted, once, with its result', async () => {
  for (const [Class, values] of [
    [Base, [5]],
    [Plain, [6]],
    [Calling, [7]],
    [Anew, [5, 'more']],
  ] as const) {
    const object = new Class();
    const outlet = new RecordingOutlet();
    outlet.attachTo(object);
    object.Born(5);
    assert.equal(await outlet.settled(), [{ signal: 'Born', values }], Class.name);
  }
});

test('a property that is overridden announces its changes once, whichever class assigns', async () => {
  for (const [Class, mode] of [
    [Base, 'on'],
    [Plain, 'ON'],
    [Calling, 'ON'],
    [Anew, 'on'],
  ] as const) {
    const object = new Class();
    const outlet = new RecordingOutlet();
    outlet.attachTo(object);
    object.Mode = 'on';
    assert.equal(await outlet.settled(), changed({ Mode: mode }), Class.name);
    object.Mode = 'on';
    assert.equal(await outlet.settled(), [], Class.name);
    exportableOf(object).properties.set('Mode', 'off');
    assert.equal(await outlet.settled(), changed({ Mode: mode === 'on' ? 'off' : 'OFF' }), Class.name);
  }
});

test('a signal that calls itself is emitted each time', async () => {
  class Countdown extends Base {
    override Born(level: number): Emits<number> {
      if (level > 0) this.Born(level - 1);
      return super.Born(level);
    }
  }
  const object = new Countdown();
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  object.Born(2);
  const signals = (await outlet.settled()).map((each) => ('values' in each ? each.values : undefined));
  assert.equal(signals, [[0], [1], [2]]);
});

test('a signal that is replaced by a field is refused, at any time', () => {
  class Hiding extends Base {
    override Born = ((id: number) => id) as never;
  }
  const attach = (object: Base) => new RecordingOutlet().attachTo(object);
  const hiding = new Hiding();
  assert.match(
    refusal(() => attach(hiding)),
    /the signal Born is overridden by a field, which emits nothing: write a method/,
  );
  const later = new Base();
  attach(later);
  later.Born = (() => undefined) as never;
  assert.ok(exportableOf(later).isUnsettled);
  assert.match(
    refusal(() => exportableOf(later).prepare()),
    /the signal Born is overridden by a field/,
  );
});

test('a signal that is bound to the instance is emitted as before', async () => {
  class Bound extends Base {
    constructor() {
      super();
      this.Born = this.Born.bind(this);
    }
  }
  const object = new Bound();
  const outlet = new RecordingOutlet();
  outlet.attachTo(object);
  object.Born(3);
  assert.equal(await outlet.settled(), [{ signal: 'Born', values: [3] }]);
});

test.run();
