/** Type tests of where decorators may stand, and of how they are written. What is refused here throws at run time. */
import { method, property, ServiceInterface, signal } from 'busbar';

class Members extends ServiceInterface {
  // @ts-expect-error a static member
  @method({ in: 's' })
  static Static(_text: string): void {}

  // @ts-expect-error a static property
  @property({ type: 's' })
  static accessor StaticProperty = '';

  // @ts-expect-error a symbol
  @method()
  [Symbol.iterator](): void {}

  // @ts-expect-error a name that D-Bus does not have
  @method()
  'no-dash'(): void {}

  // @ts-expect-error nor this one
  @method({ name: 'no-dash' })
  Dash(): void {}

  @method({ name: 'Dash' })
  'a-dash'(): void {}

  // @ts-expect-error a name that begins with a digit
  @signal({ name: '1st' })
  First(): void {}

  // The names of properties are free text.
  @property({ type: 's', name: 'any text' })
  accessor 'with-dash' = '';

  // @ts-expect-error an argument's name where there is no argument
  @property({ type: 'name:s' })
  accessor Named = '';

  // @ts-expect-error results without a reply
  @method({ out: 's', noReply: true })
  NoReply(): string {
    return '';
  }

  // @ts-expect-error others may set what never changes
  @property({ type: 's', emits: 'const' })
  accessor Constant = '';

  @property({ type: 's', emits: 'const', access: 'read' })
  accessor ConstantToRead = '';

  // @ts-expect-error a getter alone
  @property({ type: 's', access: 'readwrite' })
  get Getter(): string {
    return '';
  }

  // @ts-expect-error no parentheses
  @method
  NoParentheses(): void {}

  // @ts-expect-error nor here
  @signal
  NoParenthesesEither(): void {}

  // @ts-expect-error nor here
  @property
  accessor NoParenthesesAtAll = '';
}

class NoService {
  // @ts-expect-error its class does not extend ServiceInterface
  @method()
  Method(): void {}

  // @ts-expect-error nor here
  @property({ type: 's' })
  accessor Property = '';
}

export { Members, NoService };
