/** Type tests of signals to one connection, of implementations of descriptions, and of registered errors. */
import {
  type CallContext,
  type DBusError,
  defineInterface,
  type Emits,
  type InterfaceDescription,
  implement,
  type MessageBus,
  method,
  parseIntrospection,
  registerError,
  ServiceInterface,
  signal,
} from 'busbar';
import { type Equal, is } from './is.js';

declare const bus: MessageBus;
declare const call: CallContext;

class Sensor extends ServiceInterface {
  constructor() {
    super('org.example.Sensor');
  }

  @method({ in: ['above:d'], context: true })
  NotifyMe(above: number, call: CallContext): void {
    // Within the class, where the type of `this` is not known.
    this.signalsTo(call).Measured(above);
    this.signalsTo(call.sender).Measured(above, 'mm');
    this.signalsTo(call, { path: '/sensor' }).Emptied();
    // @ts-expect-error an argument of another type
    this.signalsTo(call).Measured('1');
    // @ts-expect-error a method
    this.signalsTo(call).NotifyMe(1, call);
    // @ts-expect-error a property
    this.signalsTo(call).Level();
    // @ts-expect-error no such member
    this.signalsTo(call).Measure(1);
  }

  Level = 5;

  @signal({ args: ['value:d', 'unit:s'] })
  Measured(value: number, unit = 'm'): Emits<[value: number, unit: string]> {
    return [value, unit];
  }

  @signal({ args: 's' })
  async Late(text: string): Promise<Emits<string>> {
    return text;
  }

  @signal()
  Emptied(): Emits {}
}

class DerivedSensor extends Sensor {
  tell(call: CallContext): void {
    this.signalsTo(call).Measured(1);
    this.signalsTo(call).More('text');
  }

  @signal({ args: 's' })
  More(text: string): Emits<string> {
    return text;
  }
}

const sensor = new DerivedSensor();
const sent = sensor.signalsTo(':1.5').Measured(1);
is<Equal<(typeof sent)[0], number>>();
const later = sensor.signalsTo(undefined).Late('text');
is<Equal<Awaited<typeof later> extends string ? true : false, true>>();
sensor.signalsTo(call).More('text');
// @ts-expect-error a method
sensor.signalsTo(call).NotifyMe(1, call);
// @ts-expect-error not a destination
sensor.signalsTo(5).Emptied();
// @ts-expect-error an unknown option
sensor.signalsTo(call, { paths: '/' }).Emptied();

// A proxy of the class does not have it.
const proxy = bus.proxy(Sensor, 'org.example.Sensor', '/sensor');
// @ts-expect-error not a method of the interface
proxy.call.signalsTo('x');

const Lamp = defineInterface('org.example.Lamp', {
  docs: 'A lamp.',
  methods: { Ask: { in: ['name:s'], docs: 'Asks.', argumentDocs: { name: 'Whom.' } } },
  signals: { Changed: { args: ['name:s', 'level:u'], argumentDocs: { level: 'In percent.' } }, Off: {} },
  properties: { Level: { type: 'u', docs: 'In percent.' } },
});
const lamp = implement(Lamp, {
  Ask(_name, caller) {
    lamp.to(caller).emit.Changed('x', 5);
  },
  Level: 1,
});
lamp.to('org.example.Name', { path: '/lamp' }).emit.Off();
// @ts-expect-error an argument of another type
lamp.to(call).emit.Changed('x', 'y');
// @ts-expect-error no such signal
lamp.to(call).emit.On();
// @ts-expect-error documentation is text
defineInterface('org.example.Docs', { methods: { Ask: { docs: 5 } } });
// @ts-expect-error documentation is text
defineInterface('org.example.Docs', { docs: 5 });
// @ts-expect-error an unknown table
defineInterface('org.example.Docs', { doc: 'x' });

// An interface that is only known at run time.
declare const description: InterfaceDescription;
const loose = implement(description, {
  Ask(name, other) {
    is<Equal<typeof name, unknown>>();
    is<Equal<typeof other, unknown>>();
    return 5;
  },
  Text: 'text',
  Level: { get: () => 5, set: (level: unknown) => void level },
});
loose.emit.Changed?.('x', 5);
loose.to(call).emit.Changed?.(5);
loose.properties.Level = 'anything';
bus.export('/loose', loose);
// @ts-expect-error it may not be there
implement(parseIntrospection('<node/>').interfaces.get('org.example.Lamp'), {});

// Registered errors.
class BusyError extends Error {}
class CodeError extends Error {
  constructor(readonly number: number) {
    super(`${number}`);
  }
}
class MadeError extends Error {
  private constructor(readonly number: number) {
    super(`${number}`);
  }
  static fromDBus({ body }: DBusError): MadeError {
    return new MadeError(body.length);
  }
}
using _busy = registerError(BusyError, 'org.example.Error.Busy');
registerError(MadeError, 'org.example.Error.Made').end();
// @ts-expect-error it is not made of a text
registerError(CodeError, 'org.example.Error.Code');
// @ts-expect-error not a class of errors
registerError(class {}, 'org.example.Error.Code');

// Trees.
using tree = bus.exportTree('/trees', {
  children: (path) => (path === '/trees' ? new Set(['a']) : undefined),
  find: async (path) => (path === '/trees/a' ? [lamp, sensor] : undefined),
  manager: true,
});
tree.keep('/trees/a', lamp).end();
tree.announceAdded('/trees/b', lamp, sensor);
tree.announceRemoved('/trees/b', Lamp.name);
// @ts-expect-error objects are not names
tree.announceRemoved('/trees/b', lamp);
// @ts-expect-error names are texts
bus.exportTree('/trees', { children: () => [5], find: () => undefined });
// @ts-expect-error not an object that can be exported
bus.exportTree('/trees', { children: () => [], find: () => 5 });
