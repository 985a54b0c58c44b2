/**
 * The cost of an interface for the compiler, in instantiations of types, which are the same on every machine. A program has
 * the same interface repeatedly: each further one has to cost the same as the previous one, and no more than the bound.
 */
import { join } from 'node:path';
import { compile, versionOf } from './compilers.mjs';
import { installedProject } from './installed.mjs';

/**
 * Of a service class and its proxy, and of a definition with its implementation and proxy: two methods, a signal and two
 * properties.
 */
const BOUNDS = { class: 4950, definition: 2320 };
const COUNTS = [10, 30, 50];
/** How much more an interface may cost among many. */
const GROWTH = 1.05;

const service = (number) => `
export class Module${number} extends ServiceInterface {
  constructor() { super('org.example.Module${number}'); }
  @method({ in: ['kind:s', 'devices:a{sas}', 'n${number}:u'], out: ['result:s'] })
  async Start(kind: string, _devices: Record<string, string[]>, _n: number): Promise<string> { return kind; }
  @method({ in: ['options:a{sv}', 'by:x'], out: '(sx)' })
  Move${number}(_options: Record<string, unknown>, by: bigint): [string, bigint] { return ['', by]; }
  @signal({ args: ['vms:a{ss}', 'n${number}:u'] })
  Changed(vms: Record<string, string>): Emits<[vms: Record<string, string>, n: number]> { return [vms, 1]; }
  @property({ type: 'a{ss}', access: 'readwrite' }) accessor Labels: Record<string, string> = {};
  @property({ type: 'u' }) get Uptime(): number { return 1; }
}`;
const definition = (number) => `
export const Module${number} = defineInterface('org.example.Module${number}', {
  methods: {
    Start: { in: ['kind:s', 'devices:a{sas}', 'n${number}:u'], out: ['result:s'] },
    Move${number}: { in: ['options:a{sv}', 'by:x'], out: '(sx)' },
  },
  signals: { Changed: { args: ['vms:a{ss}', 'n${number}:u'] } },
  properties: { Labels: { type: 'a{ss}', access: 'readwrite' }, Uptime: { type: 'u', access: 'read' } },
});
export const made${number} = implement(Module${number}, {
  Start: async (kind) => kind, Move${number}: (_options, by) => ['', by], Labels: {}, Uptime: 1,
});`;
const use = (number) => `
const proxy${number} = bus.proxy(Module${number}, 'org.example', '/');
export const started${number}: Promise<string> = proxy${number}.call.Start('a', {}, 1);
proxy${number}.on.Changed((vms, n) => n + Object.keys(vms).length);
void proxy${number}.set.Labels({});
void proxy${number}.get.Uptime();`;

const imports = `import {
  defineInterface, type Emits, implement, type MessageBus, method, property, ServiceInterface, signal,
} from 'busbar';
void [defineInterface, implement, method, property, ServiceInterface, signal];
export type Signal = Emits;
declare const bus: MessageBus;
`;

const forms = { class: service, definition };

/**
 * Compares the costs of interfaces with the bounds, and returns how many comparisons passed and failed.
 *
 * @param folder a new one below the project
 * @param compilers each as its package.json
 */
export function checkCost(folder, compilers) {
  const outcome = { passed: 0, failed: 0 };
  for (const compiler of compilers) {
    for (const [form, text] of Object.entries(forms)) {
      const title = `${form}, TypeScript ${versionOf(compiler)}`;
      const [few, some, many] = COUNTS.map((count) =>
        instantiations(compiler, join(folder, `${title} ${count}`.replace(/\W+/g, '-')), text, count),
      );
      const first = (some - few) / (COUNTS[1] - COUNTS[0]);
      const last = (many - some) / (COUNTS[2] - COUNTS[1]);
      const holds = last <= BOUNDS[form] && last <= first * GROWTH && first > 0;
      outcome[holds ? 'passed' : 'failed']++;
      const costs = `${Math.round(last)} instantiations (at most ${BOUNDS[form]}), ${Math.round(first)} among few`;
      console.log(`cost of an interface, ${title}: ${costs}${holds ? '' : ': failed'}`);
    }
  }
  return outcome;
}

function instantiations(compiler, folder, text, count) {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const program = imports + numbers.map((number) => text(number) + use(number)).join('');
  const { output, instantiations: counted } = compile(compiler, installedProject(folder, { 'program.ts': program }));
  if (output !== '' || counted === 0) throw new Error(`${folder} does not compile:\n${output}`);
  return counted;
}
