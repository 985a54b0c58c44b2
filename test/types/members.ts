/**
 * Type tests of the members of decorated classes and definitions: those that do not fit their signatures do not compile,
 * and the implementation of a member chooses how it gets variants. See interfaces.ts.
 */
import {
  type CallContext,
  defineInterface,
  type Emits,
  implement,
  method,
  property,
  ServiceInterface,
  signal,
  type Variant,
} from 'busbar';
import { type Equal, is } from './is.js';

// Members that do not fit are errors where they are declared.

class WrongMethods extends ServiceInterface {
  // @ts-expect-error a parameter of another type
  @method({ in: 's' })
  Parameter(value: number): number {
    return value;
  }

  // @ts-expect-error a result of another type
  @method({ out: 's' })
  Result() {
    return 5;
  }

  // @ts-expect-error a promise of another type
  @method({ out: ['result:s'] })
  async LaterResult(): Promise<number> {
    return 5;
  }

  // @ts-expect-error no result where one is promised
  @method({ out: 's' })
  NoResult(): void {}

  // @ts-expect-error a result where none is promised
  @method({ in: 's' })
  TooMuch(value: string): string {
    return value;
  }

  // @ts-expect-error one value instead of two
  @method({ out: 'ss' })
  OneOfTwo() {
    return 'one';
  }

  // @ts-expect-error a tuple with its values the wrong way round
  @method({ out: ['a:s', 'b:u'] })
  Swapped(): [number, string] {
    return [1, 'a'];
  }

  // @ts-expect-error more parameters than arguments
  @method({ in: 's' })
  Excess(_a: string, _b: string): void {}

  // @ts-expect-error an integer of 64 bits is read as a bigint
  @method({ in: 'x' })
  Int64(_value: number): void {}

  // @ts-expect-error an element of another type, deep inside
  @method({ in: 'a{oa{sa{sv}}}' })
  Deep(_objects: Record<string, Record<string, Record<string, string>>>): void {}

  // @ts-expect-error the context must be asked for
  @method({ in: 's' })
  Context(_a: string, _context: CallContext): void {}

  // @ts-expect-error an invalid type code
  @method({ in: 'z' })
  BadCode(): void {}

  // @ts-expect-error an invalid signature among arguments
  @method({ in: ['good:s', 'bad:a{vs}'] })
  BadKey(): void {}

  // @ts-expect-error two types for one argument
  @method({ in: ['both:ss'] })
  TwoTypes(): void {}

  // @ts-expect-error an unclosed struct in the results
  @method({ out: '(s' })
  Unclosed(): void {}

  // @ts-expect-error an array of nothing
  @method({ out: ['list:a'] })
  ArrayOfNothing(): void {}

  // @ts-expect-error an unknown option
  @method({ inn: 's' })
  Misspelt(): void {}

  // @ts-expect-error not a method
  @method()
  accessor NotAMethod = '';
}

class WrongSignals extends ServiceInterface {
  // @ts-expect-error what is returned is of another type
  @signal({ args: 's' })
  Value() {
    return 5;
  }

  // @ts-expect-error something is returned, but there are no arguments
  @signal()
  NoArguments() {
    return 'x';
  }

  // @ts-expect-error listeners would be promised two arguments and get one struct
  @signal({ args: '(ss)' })
  Struct(): Emits<[string, string]> {
    return ['a', 'b'];
  }

  // @ts-expect-error listeners would be promised a number and get a bigint
  @signal({ args: 'x' })
  Int64(): Emits<number> {
    return 5;
  }

  // @ts-expect-error an invalid signature
  @signal({ args: ['bad:e'] })
  Bad() {}

  // @ts-expect-error one value for two arguments
  @signal({ args: 'ss' })
  async TooFew(): Promise<Emits<string>> {
    return 'one';
  }
}

class WrongProperties extends ServiceInterface {
  // @ts-expect-error another type
  @property({ type: 's' })
  accessor Another = 5;

  // @ts-expect-error others may set a bigint
  @property({ type: 'x' })
  accessor Int64: number = 5;

  // @ts-expect-error others read a bigint
  @property({ type: 'x', access: 'read' })
  accessor Int64ToRead: number = 5;

  // @ts-expect-error a value that others can set is not one of these two
  @property({ type: 's', access: 'readwrite' })
  accessor Choice: 'on' | 'off' = 'on';

  @property({ type: 's', access: 'read' })
  accessor ChoiceToRead: 'on' | 'off' = 'on';

  // @ts-expect-error a getter of another type
  @property({ type: 'b' })
  get Getter(): string {
    return '';
  }

  // @ts-expect-error a setter of another type
  @property({ type: 'b', access: 'write' })
  set Setter(_value: string) {}

  // @ts-expect-error more than one type
  @property({ type: 'ss' })
  accessor TwoTypes = '';

  // @ts-expect-error no type at all
  @property({ type: '' })
  accessor NoType = '';

  // @ts-expect-error no signature
  @property({})
  accessor Untyped = '';

  // @ts-expect-error an unknown access
  @property({ type: 's', access: 'rw' })
  accessor Access = '';

  // @ts-expect-error an unknown kind of announcement
  @property({ type: 's', emits: 'sometimes' })
  accessor Announced = '';

  // @ts-expect-error not a property
  @property({ type: 's' })
  NotAProperty(): string {
    return '';
  }
}

// The implementation of a member chooses how it gets variants.

class Wrapping extends ServiceInterface {
  @method({ in: 'va{sv}', out: 'v', variants: 'wrap' })
  Pass(value: Variant, more: Record<string, Variant>): Variant {
    return more[value.signature] ?? value;
  }

  @property({ type: 'a{sv}', variants: 'wrap' })
  accessor Wrapped: Record<string, Variant> = {};

  // @ts-expect-error an argument that is wrapped
  @method({ in: 'v', variants: 'wrap' })
  NotWrapped(_value: string): void {}

  // @ts-expect-error others set plain values
  @property({ type: 'a{sv}' })
  accessor NotAsked: Record<string, Variant> = {};

  // @ts-expect-error an unknown choice
  @method({ in: 'v', variants: 'outermost' })
  Choice(): void {}
}

const WrappingToo = defineInterface('org.example.Wrapping', {
  methods: { Pass: { in: 'vav', out: 'v', variants: 'wrap' }, Plain: { in: 'v' } },
  properties: { Wrapped: { type: 'a{sv}', variants: 'wrap' } },
});
implement(WrappingToo, {
  Pass(value, list) {
    is<Equal<[typeof value, typeof list], [Variant, Variant[]]>>();
    return value;
  },
  Plain: (value) => is<Equal<typeof value, unknown>>(),
  Wrapped: { get: () => ({}), set: (value) => is<Equal<typeof value, Record<string, Variant>>>() },
});

export { Wrapping, WrongMethods, WrongProperties, WrongSignals };
