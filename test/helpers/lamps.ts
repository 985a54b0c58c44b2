/** One object written in every way, and the messages that a client gets of it, in the order of the wire. */
import {
  defineInterface,
  type Emits,
  implement,
  type Message,
  type MessageBus,
  method,
  property,
  ServiceInterface,
  signal,
} from '../../src/index.js';
import type { ExportedObject } from '../../src/service/objects/exports.js';

export const Lamp = defineInterface('org.example.Lamp', {
  methods: { Run: { in: 's' }, RunLater: { in: 's' } },
  signals: { Switched: { args: 'u' } },
  properties: { Level: { type: 'u' }, Mode: { type: 's' }, Ticks: { type: 'u', access: 'read' } },
});

/** A lamp, however it is written: its calls do what `act` does. */
export interface LampObject {
  readonly object: ExportedObject;
  level: number;
  mode: string;
  /** Changes the value of a getter, and announces the change. */
  tick(): void;
  switched(level: number): void;
}

type Act = (what: string) => void;

class StandardLamp extends ServiceInterface {
  readonly #act: Act;

  constructor(act: Act) {
    super('org.example.Lamp');
    this.#act = act;
  }

  @property({ type: 'u' })
  accessor Level = 0;

  @property({ type: 's' })
  accessor Mode = '';

  #ticks = 0;

  @property({ type: 'u' })
  get Ticks(): number {
    return this.#ticks;
  }

  tick(): void {
    this.#ticks++;
    this.emitPropertiesChanged(['Ticks']);
  }

  @method({ in: 's' })
  Run(what: string): void {
    this.#act(what);
  }

  @method({ in: 's' })
  async RunLater(what: string): Promise<void> {
    this.#act(what);
  }

  @signal({ args: 'u' })
  Switched(level: number): Emits<number> {
    return level;
  }
}

class LegacyLamp extends ServiceInterface {
  Level = 0;
  Mode = '';
  #ticks = 0;
  readonly #act: Act;

  constructor(act: Act) {
    super('org.example.Lamp');
    this.#act = act;
  }

  get Ticks(): number {
    return this.#ticks;
  }

  tick(): void {
    this.#ticks++;
    this.emitPropertiesChanged(['Ticks']);
  }

  Run(what: string): void {
    this.#act(what);
  }

  async RunLater(what: string): Promise<void> {
    this.#act(what);
  }

  Switched(level: number): Emits<number> {
    return level;
  }
}

/** The code that a compiler makes of decorators with `experimentalDecorators`. */
function decorateLegacy(decorator: unknown, key: string): void {
  const { prototype } = LegacyLamp;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
  (decorator as (prototype: object, key: string, descriptor?: PropertyDescriptor) => void)(prototype, key, descriptor);
}
decorateLegacy(property({ type: 'u' }), 'Level');
decorateLegacy(property({ type: 's' }), 'Mode');
decorateLegacy(property({ type: 'u' }), 'Ticks');
decorateLegacy(method({ in: 's' }), 'Run');
decorateLegacy(method({ in: 's' }), 'RunLater');
decorateLegacy(signal({ args: 'u' }), 'Switched');

function ofClass(lamp: StandardLamp | LegacyLamp): LampObject {
  return {
    object: lamp,
    get level() {
      return lamp.Level;
    },
    set level(level) {
      lamp.Level = level;
    },
    get mode() {
      return lamp.Mode;
    },
    set mode(mode) {
      lamp.Mode = mode;
    },
    tick: () => lamp.tick(),
    switched: (level) => void lamp.Switched(level),
  };
}

export const kinds: Readonly<Record<string, (act?: Act) => LampObject>> = {
  'standard decorators': (act = () => {}) => ofClass(new StandardLamp(act)),
  'legacy decorators': (act = () => {}) => ofClass(new LegacyLamp(act)),
  implement: (act = () => {}) => {
    let ticks = 0;
    const object = implement(Lamp, {
      Run: (what) => act(what),
      RunLater: async (what) => act(what),
      Level: 0,
      Mode: '',
      Ticks: { get: () => ticks },
    });
    return {
      object,
      get level() {
        return object.properties.Level;
      },
      set level(level) {
        object.properties.Level = level;
      },
      get mode() {
        return object.properties.Mode;
      },
      set mode(mode) {
        object.properties.Mode = mode;
      },
      tick: () => {
        ticks++;
        object.emitPropertiesChanged(['Ticks']);
      },
      switched: (level) => object.emit.Switched(level),
    };
  },
};

/** Values in short. Properties are in the order in which a class declares them, in which dialects differ. */
export function sorted(values: object): string {
  return JSON.stringify(Object.fromEntries(Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1))));
}

/** The messages of a service, in short. */
function told({ type, member, path, body }: Message): string {
  if (member === 'PropertiesChanged') return `changed ${path} ${sorted(body[1] as object)}`;
  if (member === 'InterfacesAdded')
    return `added ${body[0]} ${sorted((body[1] as Record<string, object>)['org.example.Lamp'] as object)}`;
  if (member === 'InterfacesRemoved') return `removed ${body[0]}`;
  return type === 4 ? `${member} ${path} ${JSON.stringify(body)}` : type === 2 ? 'reply' : 'error';
}

/** A client that records the messages of a service, in the order of the wire. */
export async function observe(client: MessageBus, sender: string) {
  const log: string[] = [];
  const subscription = client.subscribe({ sender }, () => {});
  await subscription.ready;
  const handler = (message: Message) => {
    if (message.sender === sender) log.push(told(message));
    return false;
  };
  const handling = client.addMessageHandler(handler, { replies: true });
  return {
    log,
    end: () => {
      handling[Symbol.dispose]();
      subscription.end();
    },
  };
}
