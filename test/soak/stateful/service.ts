/**
 * A service of the stateful soak: it follows commands on standard input, and makes the changes that callers request. Its
 * answers about its objects come from its own variables, not from busbar.
 *
 * Arguments: the address, the name, `class` or `implement`.
 */
import {
  connect,
  type Emits,
  type Export,
  implement,
  type MessageBus,
  method,
  property,
  ServiceInterface,
  signal,
} from '../../../src/index.js';
import { answerLines, say } from './lines.js';
import { CLOCK, type Command, ITEM, Mirrored, type Objects, ROOT, type Values } from './mirrored.js';

const [address = '', name = '', form = ''] = process.argv.slice(2);

/** The members of both forms of an object. */
interface Item {
  readonly exported: Parameters<MessageBus['export']>[1];
  set(values: Partial<Values>): void;
  tick(number: number): void;
}

class MirroredClass extends ServiceInterface implements Item {
  readonly exported = this;
  readonly #told: Values;

  constructor(told: Values) {
    super(ITEM);
    this.#told = told;
    this.set(told);
  }

  @method({ in: 'u', out: 'u' })
  Bump(by: number): number {
    this.#told.Bumps += by;
    this.Bumps = this.#told.Bumps;
    return this.Bumps;
  }

  @method({ in: ['text:s', 'sizes:a{su}'], out: ['text:s', 'sizes:a{su}'] })
  async Echo(text: string, sizes: Record<string, number>): Promise<[string, Record<string, number>]> {
    return [text, sizes];
  }

  @signal({ args: ['number:u'] })
  Ticked(number: number): Emits<number> {
    return number;
  }

  @property({ type: 'u', access: 'read' })
  accessor Epoch = 0;
  @property({ type: 'u', access: 'read' })
  accessor Bumps = 0;
  @property({ type: 's' })
  accessor Label = '';
  @property({ type: 'as' })
  accessor Tags: string[] = [];
  @property({ type: 'a{su}' })
  accessor Sizes: Record<string, number> = {};

  set(values: Partial<Values>): void {
    Object.assign(this, values);
  }

  tick(number: number): void {
    this.Ticked(number);
  }
}

function implemented(told: Values): Item {
  const exported = implement(Mirrored, {
    Bump(by) {
      told.Bumps += by;
      exported.properties.Bumps = told.Bumps;
      return told.Bumps;
    },
    Echo: async (text, sizes) => [text, sizes],
    ...told,
    Tags: [...told.Tags],
    Sizes: { ...told.Sizes },
  });
  return {
    exported,
    set: (values) => void Object.assign(exported.properties, values),
    tick: (number) => exported.emit.Ticked(number),
  };
}

const bus = await connect({ address });
bus.exportObjectManager(ROOT);
const objects = new Map<string, { readonly told: Values; readonly item: Item; readonly handle: Export }>();
let ticks = 0;

function add(path: string, values: Values): void {
  const told = { ...values };
  const item = form === 'class' ? new MirroredClass(told) : implemented(told);
  objects.set(path, { told, item, handle: bus.export(path, item.exported) });
}

function at(path: string) {
  const object = objects.get(path);
  if (object === undefined) throw new Error(`${path} is not there`);
  return object;
}

function handle(command: Command): unknown {
  switch (command.do) {
    case 'add':
      return add(command.path, command.values);
    case 'remove':
      at(command.path).handle.end();
      return void objects.delete(command.path);
    case 'set': {
      const { told, item } = at(command.path);
      Object.assign(told, command.values);
      return item.set(command.values);
    }
    case 'tick':
      for (let count = 0; count < command.count; count++) at(CLOCK).item.tick(++ticks);
      return undefined;
    case 'tell':
      return Object.fromEntries([...objects].map(([path, { told }]) => [path, told])) satisfies Objects;
  }
}

add(CLOCK, { Epoch: 0, Bumps: 0, Label: 'clock', Tags: [], Sizes: {} });
await bus.requestName(name);
process.on('SIGTERM', () => void bus.close().then(() => process.exit()));
say({ event: 'ready' });
await answerLines(handle);
