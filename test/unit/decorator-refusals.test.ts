// Mistakes in decorated classes, and what the errors say.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { describe } from '../../src/service/class/describe.js';
import { method } from '../../src/service/class/method.js';
import { property } from '../../src/service/class/property.js';
import { ServiceInterface, type ServiceInterfaceClass } from '../../src/service/class/service-interface.js';
import { signal } from '../../src/service/class/signal.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { refusal } from '../helpers/refusal.js';

const test = suite('refused decorators');

/** A decorator where the compiler would rightly refuse it. */
const untyped = (decorator: unknown) => decorator as (value: unknown, context: unknown) => void;

class Exportless extends ServiceInterface {
  static override readonly interfaceName = 'org.example.Exportless';
}

test('a class that cannot be exported or described is refused', () => {
  assert.match(
    refusal(() => exportableOf(Exportless as never)),
    'this is a class',
  );
  for (const value of [{}, null, undefined, 5, 'x', class {}]) {
    refusal(() => exportableOf(value as never));
    refusal(() => describe(value as never));
  }
});

test('an invalid signature, name or option is refused when the class is defined, with the member', () => {
  const definitions: [() => unknown, RegExp][] = [
    [
      () =>
        class extends ServiceInterface {
          @method({ in: ['x:z'] as never })
          Bad(): void {}
        },
      /@method "Bad".*z/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @method({ name: 'no-dash' as string })
          Bad(): void {}
        },
      /@method "Bad".*no-dash/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(signal({ args: ['x:a{vs}'] as never }))
          Bad(): never {
            throw new Error();
          }
        },
      /@signal "Bad"/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({ type: 'ss' as never }))
          accessor Bad = '';
        },
      /@property "Bad"/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @property({ type: 's', access: 'rw' as 'read' })
          accessor Bad = '';
        },
      /@property "Bad".*access/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({ type: 's', emits: 'sometimes' as never }))
          accessor Bad = '';
        },
      /@property "Bad".*emits/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(method())
          static Bad(): void {}
        },
      /@method "Bad".*static/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({ type: 's' }))
          Bad = '';
        },
      /write "accessor Bad"/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({ type: 's' }))
          Bad(): void {}
        },
      /a method is not a property: write "get Bad\(\)", or @method/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(method())
          accessor Bad = '';
        },
      /accessor is not a method/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(method())
          [Symbol.iterator](): void {}
        },
      /symbol/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(method)
          Bad(): void {}
        },
      /write @method\(/,
    ],
    [
      () => {
        class Plain {
          @untyped(method())
          Bad(): void {}
        }
        return new Plain();
      },
      /^@method "Bad": its class does not extend ServiceInterface$/,
    ],
    [
      () => (property as unknown as () => unknown)(),
      /^@property takes one object of options: write @property\({ type: 's' }\), with the signature/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @untyped(property({} as { type: 's' }))
          accessor Bad = '';
        },
      /^@property "Bad": "type" is missing: give the signature of its value, as in { type: 's' }$/,
    ],
    [
      () => {
        @untyped(method())
        class Bad extends ServiceInterface {}
        return Bad;
      },
      /members of a class/,
    ],
    [
      () =>
        class extends ServiceInterface {
          @method()
          @method()
          Bad(): void {}
        },
      /decorated twice/,
    ],
  ];
  for (const [define, message] of definitions) assert.match(refusal(define), message);
});

test('two members of one name on D-Bus are refused, and so is access that a member does not have', () => {
  const describing = (define: ServiceInterfaceClass) => () => describe(define);
  class Twice extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Twice';
    @method()
    Same(): void {}
    @method({ name: 'Same' })
    other(): void {}
  }
  assert.match(refusal(describing(Twice)), '"Same" and "other" are both the method Same');
  assert.match(
    refusal(() => new Twice()),
    'are both the method Same',
  );
  class ReadOnly extends ServiceInterface {
    static override readonly interfaceName = 'org.example.ReadOnly';
    @untyped(property({ type: 's', access: 'readwrite' }))
    get Text(): string {
      return '';
    }
  }
  assert.match(refusal(describing(ReadOnly)), 'no setter');
  class Both extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Both';
    @property({ type: 's' })
    get Text(): string {
      return '';
    }
    @property({ type: 's', access: 'write' })
    set Text(_value: string) {}
  }
  assert.match(refusal(describing(Both)), 'decorated twice');
});

test('a method and a property may have the same name on D-Bus', () => {
  class Same extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Same';
    @method({ name: 'Name' })
    name(): void {}
    @property({ type: 's' })
    accessor Name = '';
  }
  assert.ok(describe(Same).methods.has('Name') && describe(Same).properties.has('Name'));
});

test('a decorator above @method that replaces the member is refused with advice', () => {
  const replace = (value: () => void, _context: ClassMethodDecoratorContext) => () => value();
  class Replaced extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Replaced';
    @replace
    @method()
    Above(): void {}
  }
  assert.match(
    refusal(() => new Replaced()),
    'above all others',
  );
  class Below extends ServiceInterface {
    static override readonly interfaceName = 'org.example.Below';
    @method()
    @replace
    Fine(): void {}
  }
  assert.ok(exportableOf(new Below()).description.methods.has('Fine'));
});

test('the error for decorated members of a class that does not extend ServiceInterface says what is missing', () => {
  class Unrelated {
    @untyped(signal())
    Lonely(): void {}
  }
  assert.match(
    refusal(() => new Unrelated().Lonely()),
    'extend ServiceInterface',
  );
});

test.run();
