/** Type tests of properties that are plain fields, which only `experimentalDecorators` has. */
import { type ProxyOf, property, ServiceInterface } from 'busbar';
import { type Equal, is } from '../is.js';

class Fields extends ServiceInterface {
  @property({ type: 'a{ss}', access: 'readwrite' })
  TestProperty: Record<string, string> = {};

  @property({ type: 's', access: 'read' })
  Choice: 'on' | 'off' = 'on';
}

class Getters extends ServiceInterface {
  @property({ type: 's' })
  get Narrow(): 'on' | 'off' {
    return 'on';
  }

  @property({ type: 's' })
  get Later(): Promise<string> {
    return Promise.resolve('');
  }

  @property({ type: 's' })
  get Both(): Promise<string> {
    return Promise.resolve('');
  }
  set Both(_value: Promise<string>) {}

  // @ts-expect-error a field with a promise is not a string
  @property({ type: 's' })
  Field = Promise.resolve('');

  // @ts-expect-error clients use it
  @property({ type: 's' })
  protected Hidden = '';
}

class WrongFields extends ServiceInterface {
  // @ts-expect-error another type
  @property({ type: 's' })
  Another = 5;

  // @ts-expect-error others may set a bigint
  @property({ type: 'x' })
  Int64 = 5;

  // @ts-expect-error an invalid signature
  @property({ type: 'a{' })
  Invalid = {};

  // @ts-expect-error not a property
  @property({ type: 's' })
  handler = () => '';
}

declare const proxy: ProxyOf<typeof Fields>;
is<Equal<keyof typeof proxy.set, 'TestProperty' | 'Choice'>>();
is<Equal<ReturnType<typeof proxy.get.TestProperty>, Promise<Record<string, string>>>>();

export { Getters, WrongFields };
