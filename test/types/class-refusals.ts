/**
 * Type tests of the types that decorators refuse, because a proxy made from the class would promise values that are not
 * read, or accept values that cannot be sent.
 */
import { type CallContext, type Emits, type MessageBus, method, property, ServiceInterface, signal } from 'busbar';

declare const bus: MessageBus;

// Types that a proxy of the class could not return, or accept, are refused.

class Lies extends ServiceInterface {
  // @ts-expect-error a bigint is read
  @method({ out: 'x' })
  Long(): number {
    return 5;
  }

  // @ts-expect-error a Buffer is read
  @method({ out: 'ay' })
  Bytes(): number[] {
    return [];
  }

  // @ts-expect-error a FileDescriptor is read
  @method({ out: 'h' })
  File(): number {
    return 5;
  }

  // @ts-expect-error the second of them is a bigint
  @method({ out: 'st' })
  Second(): [string, number] {
    return ['', 5];
  }

  // @ts-expect-error deep inside, too
  @method({ out: 'a{sat}' })
  Deep(): Record<string, number[]> {
    return {};
  }

  // @ts-expect-error the type in a variant is not known
  @method({ out: 'a{sv}' })
  Texts(): Record<string, string> {
    return {};
  }

  // @ts-expect-error a name whose value may be of another type
  @method({ out: 'a{sv}' })
  Names(): { x?: string } {
    return {};
  }

  // @ts-expect-error deep inside, too
  @method({ out: 'a{sa{sv}}' })
  NamesWithin(): Record<string, { x?: string }> {
    return {};
  }

  // @ts-expect-error and in a Map
  @method({ out: 'a{sa{sv}}' })
  NamesInMap(): Map<string, { x?: string }> {
    return new Map();
  }

  // @ts-expect-error clients may send other values
  @method({ in: 'a{sv}', out: 's' })
  TakesNames(given: { x?: string }): string {
    return given.x ?? '';
  }

  // @ts-expect-error in a list
  @method({ in: 'saa{sv}' })
  TakesList(_text: string, _list: { x?: string }[]): void {}

  // @ts-expect-error a property
  @property({ type: 'a{sv}' })
  accessor Named: { x?: string } = {};

  // @ts-expect-error what others set
  @property({ type: 'a{sv}', access: 'write' })
  set NamedSetter(_value: { x?: string }) {}

  // @ts-expect-error a signal
  @signal({ args: ['text:s', 'named:a{sv}'] })
  Emits(): Emits<[string, { x?: string }]> {
    return ['', {}];
  }

  // @ts-expect-error fewer parameters than arguments
  @method({ in: 'ss' })
  Fewer(_first: string): void {}

  // @ts-expect-error none
  @method({ in: 's' })
  None(): void {}

  // @ts-expect-error any number of them
  @method({ in: 'ss' })
  Rest(..._texts: string[]): void {}

  // @ts-expect-error everything
  @method({ in: 's' })
  Unknown(_text: unknown): void {}

  // @ts-expect-error more than a text
  @method({ in: 's' })
  More(_text: string | number): void {}

  // @ts-expect-error the context may be anything
  @method({ in: 's', context: true })
  Context(_text: string, _context: unknown): void {}

  // @ts-expect-error it is a signal
  @method({ out: 's' })
  Signal(): Emits<string> {
    return '';
  }

  // @ts-expect-error nothing tells that it is one
  @signal({ args: 's' })
  NoSignal(): string {
    return '';
  }

  // @ts-expect-error it returns nothing
  @signal({ args: 's' })
  Nothing(): void {}

  // @ts-expect-error listeners get a bigint
  @signal({ args: 'sx' })
  Emitted(): Emits<[string, number]> {
    return ['', 5];
  }

  // @ts-expect-error a getter's promise of a number
  @property({ type: 'x' })
  get Later(): Promise<number> {
    return Promise.resolve(5);
  }

  // @ts-expect-error clients could send anything
  @property({ type: 's', access: 'write' })
  set Anything(_value: unknown) {}
}

// If no client shares the class, a type that matches the signatures is enough.

type Nested = string | Nested[] | { [name: string]: Nested };

class Private extends ServiceInterface<'service-only'> {
  constructor() {
    super('org.example.Private');
  }

  @method({ out: 'x' })
  Long(): number {
    return 5;
  }

  @method({ out: 'ay' })
  Bytes(): number[] {
    return [];
  }

  @method({ in: 'ss' })
  Fewer(_first: string): void {}

  @method({ in: 'ss' })
  Rest(..._texts: string[]): void {}

  // @ts-expect-error clients may send other values
  @method({ in: 'a{sv}' })
  TakesNames(_given: { x?: string }): void {}

  @method({ in: 'sasa{sv}' })
  TakesMore(_text: Nested, _list: Nested, _options: { x?: unknown }): void {}

  @property({ type: 's', access: 'write' })
  set More(_value: Nested) {}

  @method({ in: 's', context: true })
  Context(_text: unknown, _context: unknown): void {}

  @signal({ args: 's' })
  Sent(): string {
    return '';
  }

  @property({ type: 'x', access: 'read' })
  accessor Count = 5;

  // @ts-expect-error a result of another type
  @method({ out: 's' })
  Wrong(): number {
    return 5;
  }

  // @ts-expect-error a parameter of another type
  @method({ in: 's', context: true })
  WrongParameter(_text: number, _context: CallContext): void {}

  count(): void {
    this.Count += 1;
    this.emitPropertiesChanged(['Count']);
    this.emitPropertiesChanged({ Count: 5 });
    // @ts-expect-error a slip
    this.emitPropertiesChanged(['Cout']);
    // @ts-expect-error another
    this.emitPropertiesChanged({ Cout: 5 });
  }
}
bus.export('/', new Private());
// @ts-expect-error its types tell nothing of what is read
bus.proxy(Private, 'org.example.Private', '/');

export { Lies, Private };
