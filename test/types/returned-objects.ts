/** Type tests of methods whose results are proxies, because their definition says which objects they return. See interfaces.ts. */
import { type AnyProxy, defineInterface, implement, type MessageBus, type ProxyOf, type Variant } from 'busbar';
import { type Equal, is } from './is.js';

declare const bus: MessageBus;

const Job = defineInterface('org.example.Job', { methods: { Info: { out: 'v' } } });
const Unit = defineInterface('org.example.Unit', {
  methods: { Start: { in: ['mode:s'], out: ['job:o'], returns: Job } },
});
const Manager = defineInterface('org.example.Manager', {
  methods: {
    Get: { in: 's', out: 'o', returns: Unit },
    List: { out: ['units:ao'], returns: Unit },
    Both: { out: ['name:s', 'unit:o', 'jobs:ao'], returns: [undefined, Unit, Job] },
    One: { out: 'o', returns: [Unit] },
    Path: { out: 'o' },
  },
});
const manager = bus.proxy(Manager, 'org.example.Manager', '/');

async function calls() {
  const unit = await manager.call.Get('a');
  is<Equal<typeof unit, ProxyOf<typeof Unit>>>();
  const job = await unit.call.Start('replace');
  is<Equal<typeof job, ProxyOf<typeof Job>>>();
  const units = await manager.call.List();
  is<Equal<typeof units, ProxyOf<typeof Unit>[]>>();
  const [name, one, jobs] = await manager.call.Both();
  is<Equal<typeof name, string>>();
  is<Equal<typeof one, ProxyOf<typeof Unit>>>();
  is<Equal<typeof jobs, ProxyOf<typeof Job>[]>>();
  const only = await manager.call.One();
  is<Equal<typeof only, ProxyOf<typeof Unit>>>();
  const path = await manager.call.Path();
  is<Equal<typeof path, string>>();
  // @ts-expect-error the object's interface has no such method
  await unit.call.Stop();
  const any: AnyProxy = unit;
  return any;
}

// The options of the proxy are those of its results.
async function options() {
  const wrapping = await manager.with({ variants: 'wrap' }).call.Get('a');
  const info = await (await wrapping.call.Start('')).call.Info();
  is<Equal<typeof info, Variant>>();
  const loose = await manager.with({ loose: true }).call.Get('a');
  is<Equal<typeof loose, unknown>>();
  const nothing = await manager.with({ noReply: true }).call.Get('a');
  is<Equal<typeof nothing, void>>();
}

// Implementations return paths.
implement(Manager, {
  Get: (name) => `/${name}`,
  List: () => ['/a'],
  Both: () => ['both', '/a', ['/b']],
  One: async () => '/a',
  Path: () => '/a',
});

// What "returns" cannot be.
defineInterface('org.example.Wrong', {
  methods: {
    // @ts-expect-error a text is no object
    Text: { out: 's', returns: Unit },
    // @ts-expect-error the first result is a text
    Second: { out: ['name:s', 'unit:o'], returns: [Unit, undefined] },
    // @ts-expect-error there is no result
    None: { returns: Unit },
    // @ts-expect-error there is one result
    Many: { out: ['unit:o'], returns: [Unit, Unit] },
  },
});

defineInterface('org.example.Wrong', {
  // @ts-expect-error an interface is a definition
  methods: { Name: { out: 'o', returns: 'org.example.Unit' } },
});

export { calls, options };
