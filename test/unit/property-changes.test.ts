// How changes of properties of a decorated class are sent: when, together with what, with which values, and when not.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import type { Problem } from '../../src/diagnostics/problems.js';
import { property } from '../../src/service/class/property.js';
import { ServiceInterface } from '../../src/service/class/service-interface.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { RecordingOutlet } from '../helpers/recording-outlet.js';
import { thrown } from '../helpers/rejection.js';

const test = suite('property changes');

class Module extends ServiceInterface {
  #limit = 5;
  uptime = 0;
  failing = false;

  constructor() {
    super('org.example.Module');
    this.Count = 1;
  }

  @property({ type: 'u' })
  accessor Count = 0;

  @property({ type: 'a{ss}' })
  accessor Labels: Record<string, string> = {};

  @property({ type: 's', emits: 'invalidates' })
  accessor Secretive = '';

  @property({ type: 's', emits: 'const', access: 'read' })
  accessor Constant = '';

  @property({ type: 's', emits: false })
  accessor Silent = '';

  @property({ type: 'u' })
  get Limit(): number {
    return this.#limit;
  }
  set Limit(value: number) {
    if (value > 100) throw new InvalidArgumentError('too much');
    this.#limit = Math.max(value, 5);
  }

  @property({ type: 'u' })
  get Uptime(): number {
    if (this.failing) throw new Error('no clock');
    return this.uptime;
  }

  @property({ type: 's', access: 'write' })
  set Password(_value: string) {}

  @property({ type: 's', name: 'renamed-property' })
  accessor renamed = '';
}

function exported(): { module: Module; outlet: RecordingOutlet } {
  const module = new Module();
  const outlet = new RecordingOutlet();
  outlet.attachTo(module);
  return { module, outlet };
}

const changed = (values: Record<string, unknown>, ...invalidated: string[]) => [{ changed: values, invalidated }];

async function problemsDuring(act: () => Promise<void>): Promise<Problem[]> {
  const problems: Problem[] = [];
  const listener = (problem: unknown) => void problems.push(problem as Problem);
  subscribe('busbar:problem', listener);
  try {
    await act();
  } finally {
    unsubscribe('busbar:problem', listener);
  }
  return problems;
}

test('changes of one tick are sent together with the last values', async () => {
  const { module, outlet } = exported();
  module.Count = 2;
  module.Labels = { a: 'b' };
  module.Count = 3;
  assert.equal(outlet.recorded, []);
  assert.equal(await outlet.settled(), changed({ Count: 3, Labels: { a: 'b' } }));
});

test('changes of two ticks are sent in order', async () => {
  const { module, outlet } = exported();
  module.Count = 2;
  await Promise.resolve();
  module.Count = 3;
  assert.equal(await outlet.settled(), [...changed({ Count: 2 }), ...changed({ Count: 3 })]);
});

test('the change is sent at each path where the object is exported', async () => {
  const { module, outlet } = exported();
  const other = new RecordingOutlet();
  other.attachTo(module);
  module.Count = 2;
  assert.equal(await outlet.settled(), changed({ Count: 2 }));
  assert.equal(await other.settled(), changed({ Count: 2 }));
});

test('changes before the object was exported, or after, are not sent', async () => {
  const module = new Module();
  const outlet = new RecordingOutlet();
  module.Count = 7;
  const detach = outlet.attachTo(module);
  assert.equal(await outlet.settled(), []);
  detach();
  module.Count = 8;
  assert.equal(await outlet.settled(), []);
  outlet.attachTo(module);
  module.Count = 9;
  assert.equal(await outlet.settled(), changed({ Count: 9 }));
});

test('each kind of announcement is respected', async () => {
  const { module, outlet } = exported();
  module.Secretive = 'hidden';
  module.Constant = 'changed even so';
  module.Silent = 'quiet';
  module.Password = 'secret';
  assert.equal(await outlet.settled(), changed({}, 'Secretive'));
});

test('assigning the same primitive value is not a change; assigning the same object is', async () => {
  const { module, outlet } = exported();
  module.Count = 1;
  assert.equal(await outlet.settled(), []);
  const labels = module.Labels;
  labels.a = 'inside';
  module.Labels = labels;
  assert.equal(await outlet.settled(), changed({ Labels: { a: 'inside' } }));
});

test('the value that a setter stores is sent, and nothing if it stays the same', async () => {
  const { module, outlet } = exported();
  module.Limit = 1;
  assert.equal(await outlet.settled(), []);
  module.Limit = 50;
  assert.equal(await outlet.settled(), changed({ Limit: 50 }));
  assert.throws(() => {
    module.Limit = 500;
  }, /too much/);
  assert.equal(await outlet.settled(), []);
});

test('a value set over the bus is announced once, under its name there', async () => {
  const { module, outlet } = exported();
  exportableOf(module).properties.set('renamed-property', 'new');
  assert.is(module.renamed, 'new');
  assert.equal(await outlet.settled(), changed({ 'renamed-property': 'new' }));
});

test('a value of another type is refused at the assignment, with the place', async () => {
  const { module, outlet } = exported();
  module.Labels = { kept: 'yes' };
  await outlet.settled();
  const error = thrown(() => {
    module.Labels = { a: 5 } as never;
  });
  assert.instance(error, InvalidArgumentError);
  assert.match(error.message, 'property Labels.a: expected');
  assert.equal(module.Labels, { kept: 'yes' });
  assert.equal(await outlet.settled(), []);
});

test('changes of properties without a setter are sent when they are announced, together with other changes', async () => {
  const { module, outlet } = exported();
  module.Count = 5;
  module.emitPropertiesChanged(['Uptime']);
  module.uptime = 10;
  assert.equal(await outlet.settled(), changed({ Count: 5, Uptime: 10 }));
  module.emitPropertiesChanged({ Uptime: 11, renamed: 'given' });
  assert.equal(await outlet.settled(), changed({ Uptime: 11, 'renamed-property': 'given' }));
  module.emitPropertiesChanged(['Secretive']);
  assert.equal(await outlet.settled(), changed({}, 'Secretive'));
});

test('announcing changes that cannot be sent is refused, and nothing is sent', async () => {
  const { module, outlet } = exported();
  const refusals: [string[] | Record<string, unknown>, RegExp][] = [
    [['Uptime', 'Upime'], /no property "Upime"; did you mean Uptime/],
    [{ Count: 5, Nothing: 1 }, /no property "Nothing"/],
    [['Constant'], /never announces its changes \(emits: 'const'\)/],
    [['Silent'], /never announces its changes \(emits: false\)/],
    [['Password'], /never announces its changes \(access: 'write'\)/],
    [{ Count: 5, Uptime: 'long' }, /property Uptime: expected/],
    [['emitPropertiesChanged'], /no property/],
  ];
  for (const [changes, message] of refusals) {
    const error = thrown(() => module.emitPropertiesChanged(changes as never));
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, message);
  }
  assert.equal(await outlet.settled(), []);
});

test('a property that changed but cannot be read is invalidated, and reported', async () => {
  const { module, outlet } = exported();
  const problems = await problemsDuring(async () => {
    module.failing = true;
    module.Count = 2;
    module.emitPropertiesChanged(['Uptime']);
    assert.equal(await outlet.settled(), changed({ Count: 2 }, 'Uptime'));
  });
  assert.is(problems.length, 1);
  assert.match(problems[0]?.message ?? '', 'org.example.Module.Uptime');
  assert.match(String(problems[0]?.error), 'no clock');
});

test('an outlet that fails is reported, and the others get the change', async () => {
  const { module, outlet } = exported();
  const fail = () => {
    throw new Error('closed');
  };
  new RecordingOutlet(fail).attachTo(module);
  const last = new RecordingOutlet();
  last.attachTo(module);
  const problems = await problemsDuring(async () => {
    module.Count = 2;
    assert.equal(await last.settled(), changed({ Count: 2 }));
    assert.equal(await outlet.settled(), changed({ Count: 2 }));
  });
  assert.is(problems.length, 1);
});

test.run();
