/** A library that exports the results of busbar, without writing down a type: scripts/type-tests/declared.mjs. */
import {
  defineInterface,
  type Emits,
  implement,
  type MessageBus,
  method,
  property,
  ServiceInterface,
  signal,
  type,
  variant,
} from 'busbar';

declare const bus: MessageBus;

export class Lamp extends ServiceInterface {
  constructor() {
    super('org.example.Lamp');
  }

  @method({ in: ['level:x'], out: ['before:x'] })
  Dim(level: bigint): bigint {
    return level;
  }

  @signal({ args: ['level:x'] })
  Dimmed(level: bigint): Emits<bigint> {
    return level;
  }

  @signal()
  Broken(): Emits {}

  @property({ type: 'a{sv}' })
  accessor Options: Record<string, unknown> = {};
}

export const Shelf = defineInterface('org.example.Shelf', {
  methods: { Find: { in: [type<'filter:a{sv}', { Name?: string }>('filter:a{sv}')], out: ['numbers:ai'] } },
  signals: { Full: { args: 'ay' } },
  properties: { Mood: { type: 's' }, Size: { type: 'x' } },
});
export const shelf = implement(Shelf, {
  Find: ({ Name }) => [Name?.length ?? 0],
  Mood: { get: async () => 'fine', set: () => {} },
  Size: 5,
});
export const emit = shelf.emit;
export const properties = shelf.properties;

export const lamp = bus.proxy(Lamp, 'org.example', '/');
export const dimmed = lamp.on.Dimmed;
export const once = lamp.once.Dimmed;
export const watch = lamp.watch.Dimmed;
export const call = lamp.call;
export const set = lamp.set;
export const wrapping = lamp.with({ variants: 'wrap' });
export const shelves = bus.proxy(Shelf, 'org.example', '/');
export const full = shelves.on.Full;
export const typed = shelves.with({ typedArrays: true });
export const found = typed.call.Find;
export const loose = async () => (await bus.object('org.example', '/')).interface('org.example.Shelf');
export const looseCall = async () => (await loose()).call;
export const decorate = method({ in: 's' });
export const five = variant.u(5);
