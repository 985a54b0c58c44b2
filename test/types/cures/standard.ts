/** Programs that do not compile with standard decorators, as in cures.ts. */
import { type Emits, method, property, ServiceInterface, signal } from 'busbar';

export class Standard extends ServiceInterface {
  // says: write "accessor Field", because assignments to a field cannot be noticed
  @property({ type: 's' })
  Field = '';

  // says: a #private member cannot be on D-Bus
  @method({ in: 's' })
  #hidden(_text: string): void {}

  // says: a #private member cannot be on D-Bus
  @property({ type: 'u' })
  accessor #level = 1;

  // says: a #private member cannot be on D-Bus
  @signal({ args: 's' })
  #told(): Emits<string> {
    return '';
  }

  // says: it does not accept the values that clients set as "u": declare", number
  @property({ type: 'u' })
  set Pair(_value: string) {}
  get Pair(): string {
    return '';
  }

  use(): void {
    this.#hidden(`${this.#level}`);
    void this.#told;
  }
}
