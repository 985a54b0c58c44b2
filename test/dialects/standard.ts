/** The interface of the dialect tests, written with standard decorators. `legacy.ts` has the same in the other dialect. */
import { type CallContext, type Emits, method, property, ServiceInterface, signal } from 'busbar';

export class Thermostat extends ServiceInterface {
  #limit = 30;

  constructor() {
    super('org.example.Thermostat');
  }

  @method({ in: ['celsius:d', 'room:s'], out: ['report:s'] })
  Heat(celsius: number, room: string): string {
    this.Target = celsius;
    return `${room}: ${celsius}`;
  }

  @method({ out: 's', context: true, name: 'WhoAsks' })
  async whoAsks(context: CallContext): Promise<string> {
    return context.sender ?? 'no sender';
  }

  @method({ deprecated: true, noReply: true, annotations: { 'org.example.Note': 'old' } })
  Old(): void {}

  @method({ disabled: true })
  Hidden(): void {}

  @signal({ args: ['room:s', 'celsius:d'] })
  TooHot(room: string): Emits<[room: string, celsius: number]> {
    return [room, this.Target];
  }

  @signal({ args: 'a{ss}' })
  async Later(values: Record<string, string>): Promise<Emits<Record<string, string>>> {
    return values;
  }

  @property({ type: 'd' })
  accessor Target = 20;

  @property({ type: 'a{ss}', emits: 'invalidates' })
  accessor Labels: Record<string, string> = { floor: 'ground' };

  @property({ type: 's', access: 'read', emits: 'const' })
  get Model(): string {
    return 'T1';
  }

  @property({ type: 'u' })
  get Limit(): number {
    return this.#limit;
  }
  set Limit(value: number) {
    this.#limit = Math.min(value, 35);
  }

  @property({ type: 's', access: 'write' })
  set Code(value: string) {
    this.#limit = value.length;
  }
}

export class SmartThermostat extends Thermostat {
  @method({ out: 'b' })
  Learn(): boolean {
    return true;
  }

  override Heat(celsius: number, room: string): string {
    return `smart ${super.Heat(celsius, room)}`;
  }

  @method({ disabled: true })
  override Old(): void {}
}
