/** Type tests of classes and definitions that are written in less common ways: all of this compiles. */
import {
  type CallContext,
  defineInterface,
  describe,
  type Emits,
  type InterfaceDefinition,
  implement,
  type MessageBus,
  method,
  type ProxyOf,
  property,
  ServiceInterface,
  signal,
  type,
} from 'busbar';
import { type Equal, is } from './is.js';

declare const bus: MessageBus;

// Generic classes, abstract ones, and mixins.

class Box<T> extends ServiceInterface {
  constructor(protected readonly inner: T) {
    super('org.example.Box');
  }

  @method({ in: 's', out: 's' })
  Echo(text: string): string {
    return text;
  }

  @property({ type: 's' })
  accessor Name = '';

  @signal({ args: 's' })
  Told(text: string): Emits<string> {
    return text;
  }
}
const box = bus.proxy(Box, 'org.example.Box', '/');
is<Equal<ReturnType<typeof box.call.Echo>, Promise<string>>>();
is<Equal<keyof typeof box.get, 'Name'>>();
const same: ProxyOf<Box<string>> = bus.proxy(new Box('x'), 'org.example.Box', '/');

abstract class Abstract extends ServiceInterface {
  @method({ in: 's' })
  Take(_text: string): void {}

  protected abstract take(): void;
}
bus.proxy(Abstract, 'org.example.Abstract', '/').call.Take('');

// biome-ignore lint/suspicious/noExplicitAny: mixins are written so
type AnyServiceClass = new (...args: any[]) => ServiceInterface;
function Named<Base extends AnyServiceClass>(base: Base) {
  class Mixed extends base {
    @property({ type: 's' })
    accessor Name = '';

    @method({ in: 's' })
    Rename(name: string): void {
      this.Name = name;
    }

    @signal()
    Renamed(): Emits {}
  }
  return Mixed;
}
class NamedBox extends Named(Box<string>) {}
const named = bus.proxy(NamedBox, 'org.example.Box', '/');
is<Equal<keyof typeof named.call, 'Echo' | 'Rename'>>();

// Signatures that the compiler does not know, or only in part.

declare const signature: string;
const options = { in: ['text:s'], out: 'u' } as const;
class Unusual extends ServiceInterface {
  @method({ in: signature, out: signature })
  Anything(text: string): string {
    return text;
  }

  @property({ type: signature })
  accessor AnyProperty = '';

  @signal({ args: signature })
  AnySignal(): Emits<string> {
    return '';
  }

  @method(options)
  Options(text: string): number {
    return text.length;
  }

  @method({ out: 's' })
  Thenable(): PromiseLike<string> {
    return Promise.resolve('');
  }

  @method({ out: 's' })
  NowOrLater(): string | Promise<string> {
    return '';
  }

  @method()
  NothingNowOrLater(): void | Promise<void> {}

  @method({ in: ['text:s'] })
  Generic<Text extends string>(_text: Text): void {}

  @method({
    in: [type<'options:a{sv}', { Name?: string }>('options:a{sv}')],
    out: type<'a{sv}', { Name?: string }>('a{sv}'),
  })
  Refined(given: { Name?: string }): { Name?: string } {
    return given;
  }

  @method({ in: ['text:s'], context: true, out: 's' })
  Destructured(text: string, { sender, path }: CallContext): string {
    return text + sender + path;
  }

  @method({ in: 'a(si)' })
  Structs(_list: [string, number][]): void {}

  @method({ in: 'a(si)' })
  ReadonlyStructs(_list: readonly (readonly [string, number])[]): void {}
}
const unusual = bus.proxy(Unusual, 'org.example.Unusual', '/');
is<Equal<ReturnType<typeof unusual.call.Refined>, Promise<{ Name?: string }>>>();
is<Equal<ReturnType<typeof unusual.call.Thenable>, Promise<string>>>();
unusual.call.Refined({ Name: '' });
unusual.call.Structs([['a', 1]] as const);
bus.proxy(describe(Unusual), 'org.example.Unusual', '/').call.Anything(1);

// Definitions that are only known at run time.

declare const definition: InterfaceDefinition;
declare const handlers: Record<string, () => void>;
implement(definition, handlers);
const Late = defineInterface(signature, { methods: { Echo: { in: signature, out: [signature] } } });
implement(Late, { Echo: (...args) => args[0] });

export { same };
