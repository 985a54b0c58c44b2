/**
 * A service of the stateful soak as the driver knows it: its commands determine the state of the service and its mirrors.
 */

import type { Random } from '../../helpers/random-numbers.js';
import { CLOCK, type Command, type Objects, ROOT, type Values } from './mirrored.js';
import { ToldProgram } from './told-program.js';

const OBJECTS_MAXIMUM = 40;

export class ToldService {
  readonly name: string;
  readonly #number: number;
  readonly #address: string;
  readonly #onWrong: (what: string) => void;
  told!: ToldProgram<Command>;
  objects: Objects = {};
  ticks = 0;

  constructor(number: number, address: string, onWrong: (what: string) => void) {
    this.name = `org.example.Mirrored.Service${number}`;
    this.#number = number;
    this.#address = address;
    this.#onWrong = onWrong;
  }

  async start(): Promise<void> {
    const form = this.#number % 2 === 0 ? 'class' : 'implement';
    this.told = new ToldProgram(
      'test/soak/stateful/service.ts',
      [this.#address, this.name, form],
      this.#number,
      this.#onWrong,
    );
    await this.told.program.event('ready');
    this.objects = { [CLOCK]: { Epoch: 0, Bumps: 0, Label: 'clock', Tags: [], Sizes: {} } };
    this.ticks = 0;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.told.program.kill(signal);
    await this.told.program.finished;
  }

  /** Takes a step: adds, changes or removes an object, or ticks. */
  async step(random: Random): Promise<void> {
    const paths = Object.keys(this.objects).filter((path) => path !== CLOCK);
    const kind = random.below(10);
    if (kind === 0) return this.#tick(1 + random.below(50));
    if (kind <= 2 && paths.length < OBJECTS_MAXIMUM) return this.#add(random);
    if (paths.length === 0) return;
    const path = random.of(paths);
    if (kind === 3) return this.#remove(path);
    return this.#set(path, random);
  }

  async #tick(count: number): Promise<void> {
    this.ticks += count;
    await this.told.tell({ do: 'tick', count });
  }

  async #add(random: Random): Promise<void> {
    const path = `${ROOT}/item${random.below(1000)}`;
    if (this.objects[path] !== undefined) return;
    const values = { Epoch: 0, Bumps: 0, ...someValues(random) };
    this.objects[path] = { ...values };
    await this.told.tell({ do: 'add', path, values });
  }

  async #remove(path: string): Promise<void> {
    delete this.objects[path];
    await this.told.tell({ do: 'remove', path });
  }

  async #set(path: string, random: Random): Promise<void> {
    const { Label, Tags, Sizes } = someValues(random);
    const values = random.of([{ Label }, { Tags }, { Sizes }, { Label, Tags, Sizes }]);
    Object.assign(this.objects[path] as Values, values);
    await this.told.tell({ do: 'set', path, values });
  }

  /** Sets the clock, so that mirrors know that they have received everything before. */
  async setClock(epoch: number): Promise<void> {
    (this.objects[CLOCK] as Values).Epoch = epoch;
    await this.told.tell({ do: 'set', path: CLOCK, values: { Epoch: epoch } });
  }
}

function someValues(random: Random): Omit<Values, 'Epoch' | 'Bumps'> {
  const words = () => Array.from({ length: random.below(4) }, () => `word ${random.below(100)}`);
  return {
    Label: `label ${random.below(1000)}`,
    Tags: words(),
    Sizes: Object.fromEntries(words().map((word) => [word, random.below(2 ** 31)])),
  };
}
