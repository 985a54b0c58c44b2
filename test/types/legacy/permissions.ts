/** Permissions, checks and order in the other dialect of decorators; see ../permissions.ts. */
import { type CallContext, method, property, ServiceInterface } from 'busbar';
import { type Equal, is } from '../is.js';

export class Lamp extends ServiceInterface {
  constructor() {
    super({ name: 'org.example.Lamp', allow: { write: { uid: 0 } } });
  }

  @method({
    in: ['level:u'],
    allow: (call, level) => {
      is<Equal<typeof call, CallContext>>();
      is<Equal<typeof level, number>>();
      return true;
    },
    concurrency: 'serial',
    queue: 3,
  })
  Dim(_level: number): void {}

  // @ts-expect-error a key that does not exist
  @method({ allow: { groups: 'wheel' } })
  Misspelt(): void {}

  @property({ type: 'u', check: (value) => value <= 100, allow: { read: { group: 'wheel' } } })
  Level = 0;

  // @ts-expect-error the value is a number
  @property({ type: 'u', check: (value: string) => value === '' })
  Text = 0;
}
