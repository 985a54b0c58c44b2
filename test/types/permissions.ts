/** Type tests of permissions, checks of values and the order of handlers, in decorators and in the options of `implement`. */
import {
  type CallContext,
  defineInterface,
  implement,
  method,
  type Permission,
  parseIntrospection,
  property,
  ServiceInterface,
  type Variant,
} from 'busbar';
import { type Equal, is } from './is.js';

class Lamp extends ServiceInterface {
  constructor() {
    super({ name: 'org.example.Lamp', allow: { polkit: 'org.example.lamp' }, concurrency: 'serial', queue: 5 });
  }

  @method({
    in: ['level:u', 'long:x'],
    allow: (call, level, long) => {
      is<Equal<typeof call, CallContext>>();
      is<Equal<typeof level, number>>();
      is<Equal<typeof long, bigint>>();
      return level > 5;
    },
    concurrency: 'perCaller',
  })
  Dim(_level: number, _long: bigint): void {}

  @method({
    in: ['any:v'],
    variants: 'wrap',
    allow: async (_call, any) => is<Equal<typeof any, Variant>>() === undefined,
  })
  Any(_any: Variant): void {}

  @method({
    allow: [{ uid: 0 }, { uid: [1, 2] }, { user: 'a' }, { group: ['wheel', 5] }, async () => true, [() => false]],
  })
  List(): void {}

  // @ts-expect-error a key that does not exist
  @method({ allow: { polkitt: 'org.example.lamp' } })
  Misspelt(): void {}

  // @ts-expect-error neither true nor false
  @method({ allow: () => 5 })
  Five(): void {}

  // @ts-expect-error an argument of another type
  @method({ in: 's', allow: (_call: CallContext, text: number) => text > 5 })
  Other(_text: string): void {}

  // @ts-expect-error no such order
  @method({ concurrency: 'serail' })
  Order(): void {}

  @property({ type: 'u', check: (value) => value <= 100 || 'too much', allow: { write: (_call, value) => value > 5 } })
  accessor Level = 0;

  @property({
    type: 'x',
    access: 'read',
    allow: { read: { user: 'a' } },
    check: (value) => is<Equal<typeof value, bigint>>() === undefined,
  })
  accessor Long = 0n;

  // @ts-expect-error the value is a number
  @property({ type: 'u', check: (value: string) => value === '' })
  accessor Text = 0;

  // @ts-expect-error a promise says neither yes nor no
  @property({ type: 'u', check: async () => true })
  accessor Later = 0;

  // @ts-expect-error what is allowed is not said
  @property({ type: 'u', allow: { uid: 0 } })
  accessor Unsaid = 0;
}

const Data = defineInterface('org.example.Data', {
  methods: { Dim: { in: ['level:u', 'name:s'] }, Any: { in: 'v', variants: 'wrap' } },
  properties: { Level: { type: 'u' }, Long: { type: 'x' } },
});
const members = { Dim: () => {}, Any: () => {}, Level: 0, Long: 0 };

implement(Data, members, {
  allow: { call: { uid: 0 }, read: () => true, write: [{ uid: 0 }] },
  concurrency: 'serial',
  members: {
    Dim: {
      allow: (call, level, name) => {
        is<Equal<typeof call, CallContext>>();
        is<Equal<typeof level, number>>();
        is<Equal<typeof name, string>>();
        return true;
      },
      concurrency: 'parallel',
    },
    Any: { allow: (_call, any) => is<Equal<typeof any, Variant>>() === undefined },
    Level: { check: (value) => value < 5, allow: { write: (_call, value) => value < 5 } },
    Long: { check: (value) => is<Equal<typeof value, bigint>>() === undefined },
  },
});
implement(Data, members, { allow: { polkit: 'org.example.data', details: { name: 'x' } }, queue: 5 });
// @ts-expect-error no such member
implement(Data, members, { members: { Dimm: {} } });
// @ts-expect-error a method accepts no check
implement(Data, members, { members: { Dim: { check: () => true } } });
// @ts-expect-error the value is a number
implement(Data, members, { members: { Level: { check: (value: string) => value === '' } } });
// @ts-expect-error no such option
implement(Data, members, { allowed: { uid: 0 } });

for (const description of parseIntrospection('<node/>').interfaces.values()) {
  implement(description, {}, { allow: { uid: 0 }, members: { Any: { allow: () => true } } });
}

const permission: Permission = { group: 'wheel' };
async function ask(call: CallContext): Promise<void> {
  await call.authorize('org.example.lamp');
  await call.authorize('org.example.lamp', { details: { name: 'x' }, timeout: 5, signal: call.signal });
  // @ts-expect-error no such option
  await call.authorize('org.example.lamp', { detail: {} });
}

export { ask, Lamp, permission };
