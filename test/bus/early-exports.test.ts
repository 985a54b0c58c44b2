// Objects that are exported in a constructor, before their subclasses have defined their fields: faults are reported as
// soon as they can be known.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Problem } from '../../src/diagnostics/problems.js';
import { connect, type Emits, type MessageBus, property, ServiceInterface, signal } from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { testUnless } from '../helpers/skip.js';

class Early extends ServiceInterface {
  static override readonly interfaceName: string = 'org.example.Early';

  constructor(bus: MessageBus, sendsAtOnce: boolean) {
    super();
    bus.export('/early', this);
    if (sendsAtOnce) bus.emit({ path: '/none', interface: 'org.example.None', member: 'Said' });
  }

  @signal({ args: 's' })
  Born(name: string): Emits<string> {
    return name;
  }
}

class LateAccessor extends Early {
  @property({ type: 'u' })
  accessor Level: number = 'wrong' as never;
}

class LateField extends Early {
  Level: number = 'wrong' as never;
}
(property({ type: 'u' }) as (prototype: object, key: string) => void)(LateField.prototype, 'Level');

class Hiding extends Early {
  override Born = ((name: string) => name) as never;
}

const wrong: Readonly<Record<string, [typeof Early, string]>> = {
  'an accessor': [LateAccessor, 'property Level: expected u'],
  'a field of legacy decorators': [LateField, 'property Level: expected u'],
  'a field in the place of a signal': [Hiding, 'the signal Born is overridden by a field'],
};

for (const daemon of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const missing = PrivateBus.missing({ daemon });
  const test = suite(`early exports, on ${daemon}`);
  let bus: PrivateBus;

  test.before(async () => {
    if (missing === undefined) bus = await PrivateBus.start({ daemon });
  });
  test.after(() => bus?.stop());

  for (const [what, [Class, reason]] of Object.entries(wrong)) {
    for (const hasManager of [false, true]) {
      for (const sendsAtOnce of [false, true]) {
        const where = `${hasManager ? 'under an ObjectManager' : 'alone'}${sendsAtOnce ? ', overtaken' : ''}`;
        testUnless(missing, test, `${what} is reported once, for an object exported ${where}`, async () => {
          await using service = await connect({ address: bus.address });
          if (hasManager) service.exportObjectManager('/');
          const told: string[] = [];
          const listen = (problem: unknown) => {
            const { kind, message, error } = problem as Problem;
            if (kind === 'misfit') told.push(`${message}: ${(error as Error).message}`);
          };
          subscribe('busbar:problem', listen);
          try {
            new Class(service, sendsAtOnce);
            await service.listNames();
          } finally {
            unsubscribe('busbar:problem', listen);
          }
          const start = `org.example.Early at /early was exported with a fault: ${reason}`;
          assert.is(told.filter((each) => each.startsWith(start)).length, 1, told.join('\n'));
        });
      }
    }
  }

  test.run();
}
