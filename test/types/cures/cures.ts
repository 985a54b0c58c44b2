/** Programs that do not compile, each with a part of what the compiler has to say: scripts/type-tests/cures.mjs. */
import {
  type CallContext,
  defineInterface,
  type Emits,
  implement,
  type MessageBus,
  method,
  property,
  ServiceInterface,
  signal,
} from 'busbar';

declare const bus: MessageBus;

export class Cures extends ServiceInterface {
  // says: it returns a value: add "out" with its signature
  @method({ in: 's' })
  ForgotOut(text: string): string {
    return text;
  }

  // says: its result does not match "out": return", string
  @method({ out: ['text:s'] })
  WrongResult(): number {
    return 5;
  }

  // says: it returns nothing: return the values of "out"
  @method({ out: 's' })
  NoResult(): void {}

  // says: write "context: true" to get the context of the call
  @method({ in: 's' })
  ContextNotAskedFor(_text: string, _context: CallContext): void {}

  // says: declare the last parameter as CallContext
  @method({ in: 's', context: true })
  UnknownContext(_text: string, _context: unknown): void {}

  // says: declare a parameter for each argument of "in": it has 1, and 2 are needed
  @method({ in: 'su' })
  Fewer(_text: string): void {}

  // says: its parameters do not match "in"", [string]
  @method({ in: 's' })
  Parameter(_number: number): void {}

  // says: clients read its result as another type: declare that one, or extend ServiceInterface<"service-only">", bigint
  @method({ out: 'x' })
  Long(): number {
    return 5;
  }

  // says: its return type, Emits, is that of a signal: write @signal
  @method({ out: 's' })
  NoMethod(): Emits<string> {
    return '';
  }

  // says: it is not a method: write "Field(…) { … }"
  @method()
  accessor Field = '';

  // says: write @method()
  @method
  NoParentheses(): void {}

  // says: it returns nothing: return the values of "args"
  @signal({ args: 's' })
  ReturnsNothing(_text: string): void {}

  // says: declare its return type as Emits<…>, by which proxies of the class recognise signals
  @signal({ args: 's' })
  NoEmits(text: string): string {
    return text;
  }

  // says: give it another "name": the member name "no-dash" has a character that is not among A-Z a-z 0-9 _
  @signal()
  'no-dash'(): Emits {}

  // says: a method is not a property: write "get Name()", or @method
  @property({ type: 's' })
  Name(): string {
    return '';
  }

  // says: its value cannot be sent as "s": declare", string
  @property({ type: 's' })
  accessor Number = 5;

  // says: it does not accept the values that clients set as "s": declare", string
  @property({ type: 's' })
  accessor Choice: 'on' | 'off' = 'on';

  // says: it has no setter: set "access" to "read", or leave it out
  @property({ type: 's', access: 'readwrite' })
  get Getter(): string {
    return '';
  }

  // says: "emits" is "const", but clients can set it: set "access" to "read"
  @property({ type: 's', emits: 'const' })
  accessor Constant = '';

  // says: "z" is not a type code here in "z"
  @method({ in: 'z' })
  Code(): void {}

  // says: a property has no argument name: write "s"
  @property({ type: 'name:s' })
  accessor NamedType = '';

  // says: 'inn' does not exist in type 'MethodOptions<
  @method({ inn: 's' })
  Misspelt(): void {}

  // says: Did you mean '"readwrite"'?
  @property({ type: 's', access: 'readWrite' })
  accessor Access = '';

  // says: the member name "x-y" has a character that is not among A-Z a-z 0-9 _
  @method({ name: 'x-y' })
  OtherName(): void {}

  // says: write @method()
  @method('s', 's')
  AsInDbusNext(): void {}

  // says: write @signal()
  @signal
  SignalAlone(): Emits {}

  // says: write @property({ type: … })
  @property
  accessor PropertyAlone = '';

  // says: write @property({ type: … })
  @property()
  accessor WithoutOptions = '';

  // says: Property 'type' is missing
  @property({})
  accessor WithoutType = '';

  // says: a method without a reply has no "out"
  @method({ out: 's', noReply: true })
  NoReply(): string {
    return '';
  }

  // says: a static member cannot be on D-Bus
  @method()
  static Static(): void {}

  // says: a member named by a symbol cannot be on D-Bus
  @method()
  [Symbol.iterator](): void {}
}

export class NoService {
  // says: add "extends ServiceInterface" after the name of the class
  @method()
  Method(): void {}
}

class Only extends ServiceInterface<'service-only'> {}
// says: the class is for services only: make the proxy from a definition, or from describe(…) of the class
bus.proxy(Only, 'org.example.Only', '/');

class Told extends ServiceInterface {
  @method()
  Reset(): void {}

  @signal({ args: 's' })
  Changed(text: string): Emits<string> {
    return text;
  }
}
const told = bus.proxy(Told, 'org.example.Told', '/');
// says: 'Changed' does not exist on type 'Methods<Told, "read", false, false>'
told.call.Changed('a');
// says: 'Reset' does not exist on type 'Signals<Told, "read", false>'
told.on.Reset(() => {});
// says: 'Reset' does not exist on type 'ProxyOf<typeof Told>'
told.Reset();

// says: the interface name "example" needs at least two elements, as in "org.example"
defineInterface('example', {});
const Small = defineInterface('org.example.Small', {
  methods: { Echo: { in: ['text:s'], out: ['text:s'] } },
  properties: { Count: { type: 'u' } },
});
// says: not assignable to type 'NoSuchMember<"
implement(Small, { Echo: (text) => text, Count: 1, Other: 5 });
// says: 'string | PromiseLike<string>'
implement(Small, { Echo: () => 5, Count: 1 });
// says: "Count"
implement(Small, { Echo: (text) => text, Count: 1 }).emitPropertiesChanged(['Cuont']);
