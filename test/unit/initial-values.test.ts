// The initial values of the properties of a class: checked when an object is exported, or when its constructor is done.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { property, ServiceInterface } from '../../src/index.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { legacy } from '../helpers/legacy-decorator.js';
import { changed, RecordingOutlet } from '../helpers/recording-outlet.js';
import { refusal } from '../helpers/refusal.js';

const test = suite('initial values');

class Fields extends ServiceInterface {
  static override readonly interfaceName: string = 'org.example.Fields';
  Level: unknown = 1;
}
legacy(property({ type: 'u' }), Fields, 'Level');

class Accessors extends ServiceInterface {
  static override readonly interfaceName: string = 'org.example.Accessors';
  @property({ type: 'u' })
  accessor Level: number = 'wrong' as never;
}

test('a first value of another type is refused when the object is exported, and stays as it is', () => {
  class Wrong extends Fields {
    override Level: unknown = 'wrong';
  }
  for (const object of [new Wrong(), new Accessors()]) {
    const attach = () => new RecordingOutlet().attachTo(object);
    assert.match(refusal(attach), /property Level: expected u/);
    assert.is(object.Level as unknown, 'wrong');
    (object as { Level: unknown }).Level = 5;
    attach();
  }
});

test('fields that a constructor defines after an export are noticed', async () => {
  const outlet = new RecordingOutlet();
  class Early extends ServiceInterface {
    static override readonly interfaceName: string = 'org.example.Early';
    constructor() {
      super();
      exportableOf(this).prepare();
    }
  }
  class Late extends Early {
    Level = 1;
  }
  legacy(property({ type: 'u' }), Late, 'Level');
  const object = new Late();
  outlet.attachTo(object);
  object.Level = 2;
  assert.equal(await outlet.settled(), changed({ Level: 2 }));
});

test('a first value that a constructor stores after an export is checked once it is there, in each dialect', () => {
  class Early extends ServiceInterface {
    static override readonly interfaceName: string = 'org.example.Early';
    /** Refused while the constructor ran. */
    readonly refused: string[] = [];
    constructor() {
      super();
      exportableOf(this).prepare((error) => this.refused.push((error as Error).message));
    }
  }
  class LateAccessor extends Early {
    @property({ type: 'u' })
    accessor Level: number = 'wrong' as never;
    @property({ type: 's' })
    accessor Name: string = 5 as never;
  }
  class LateField extends Early {
    Level = 'wrong' as unknown;
    Name = 5 as unknown;
  }
  legacy(property({ type: 'u' }), LateField, 'Level');
  legacy(property({ type: 's' }), LateField, 'Name');
  for (const object of [new LateAccessor(), new LateField()]) {
    const exportable = exportableOf(object);
    assert.equal(object.refused, []);
    assert.ok(exportable.isUnsettled);
    const refused: string[] = [];
    exportable.prepare((error) => refused.push((error as Error).message));
    assert.is(refused.length, 2);
    assert.match(refused[0] as string, /property Level: expected u/);
    assert.match(refused[1] as string, /property Name: expected s/);
    // Once.
    exportable.prepare();
  }
});

test('a field of a sealed object cannot be noticed, and is refused', () => {
  const object = Object.seal(new Fields());
  assert.match(
    refusal(() => new RecordingOutlet().attachTo(object)),
    /sealed/,
  );
  class Sealed extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Sealed';
    @property({ type: 'u' })
    accessor Level = 1;
  }
  // The prototype has it.
  new RecordingOutlet().attachTo(Object.seal(new Sealed()));
});

test.run();
