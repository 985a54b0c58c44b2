/**
 * Type tests of where decorators may be, and of how they are written. Everything that is refused here throws at run time.
 */
import { defineInterface, method, property, ServiceInterface, signal } from 'busbar';

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

// Mistakes in definitions.

// @ts-expect-error an interface name of one element
defineInterface('example', {});
// @ts-expect-error an empty element
defineInterface('org..example', {});
// @ts-expect-error an element that begins with a digit
defineInterface('org.1example', {});
// @ts-expect-error a character that no name has
defineInterface('org.exam-ple', {});
// @ts-expect-error no message may carry it
defineInterface('org.freedesktop.DBus.Local', {});
defineInterface('org.example' as string, {});
// @ts-expect-error the name of a method
defineInterface('org.example.Bad', { methods: { 'no-dash': {} } });
// @ts-expect-error an empty name
defineInterface('org.example.Bad', { signals: { '': {} } });
// @ts-expect-error a digit
defineInterface('org.example.Bad', { signals: { '1st': { args: 's' } } });
// @ts-expect-error an empty name
defineInterface('org.example.Bad', { properties: { '': { type: 's' } } });
defineInterface('org.example.Good', { properties: { 'any text': { type: 's' } } });
// @ts-expect-error an argument's name where there is no argument
defineInterface('org.example.Bad', { properties: { Named: { type: 'name:s' } } });
// @ts-expect-error results without a reply
defineInterface('org.example.Bad', { methods: { Bad: { out: 's', noReply: true } } });
defineInterface('org.example.Good', {
  methods: { Good: { in: 's', noReply: true }, Answered: { out: 's', noReply: false } },
});
// @ts-expect-error others may set what never changes
defineInterface('org.example.Bad', { properties: { Bad: { type: 's', emits: 'const' } } });
defineInterface('org.example.Good', { properties: { Good: { type: 's', emits: 'const', access: 'read' } } });
