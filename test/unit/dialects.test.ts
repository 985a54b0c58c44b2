/**
 * One class in both dialects of decorators, compiled by every compiler that supports one of them, and run: the interface
 * and the behaviour are the same.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { describe } from '../../src/service/class/describe.js';
import type { ServiceInterface } from '../../src/service/class/service-interface.js';
import { exportableOf } from '../../src/service/objects/exportable.js';
import { compilers } from '../dialects/compilers.js';
import { libraryEntry } from '../helpers/own-runtime.js';
import { projectRoot } from '../helpers/paths.js';
import { callContext, RecordingOutlet } from '../helpers/recording-outlet.js';

const work = join(projectRoot, 'build', 'dialects');

interface Thermostat extends ServiceInterface {
  Target: number;
  Labels: Record<string, string>;
  Limit: number;
  TooHot(room: string): unknown;
  Later(values: Record<string, string>): Promise<unknown>;
}

interface Compiled {
  readonly Thermostat: new () => Thermostat;
  readonly SmartThermostat: new () => Thermostat;
}

/** The description in short, in a fixed order: compilers may differ in the order. */
function summary(description: ReturnType<typeof describe>): unknown {
  const { name, methods, signals, properties } = description;
  const sorted = (lines: string[]) => lines.sort();
  const named = (args: readonly { name: string | undefined; signature: string }[]) =>
    args.map((arg) => `${arg.name ?? ''}:${arg.signature}`).join();
  return {
    name,
    methods: sorted(
      [...methods].map(([key, { in: ins, out, deprecated, noReply, annotations }]) =>
        [key, named(ins), named(out), deprecated, noReply, [...annotations].join()].join(' '),
      ),
    ),
    signals: sorted([...signals].map(([key, { args }]) => `${key} ${named(args)}`)),
    properties: sorted(
      [...properties].map(([key, { signature, access, emits }]) => [key, signature, access, emits].join(' ')),
    ),
  };
}

const thermostat = {
  name: 'org.example.Thermostat',
  methods: [
    'Heat celsius:d,room:s report:s false false ',
    'Old   true true org.example.Note,old',
    'WhoAsks  :s false false ',
  ],
  signals: ['Later :a{ss}', 'TooHot room:s,celsius:d'],
  properties: [
    'Code s write true',
    'Labels a{ss} readwrite invalidates',
    'Limit u readwrite true',
    'Model s read const',
    'Target d readwrite true',
  ],
};

const smartThermostat = {
  ...thermostat,
  methods: ['Heat celsius:d,room:s report:s false false ', 'Learn  :b false false ', 'WhoAsks  :s false false '],
};

const test = suite('dialects');
rmSync(work, { recursive: true, force: true });

for (const [index, { name, dialect, compile }] of compilers.entries()) {
  const folder = join(work, String(index));

  const compiled = (async (): Promise<Compiled> => {
    mkdirSync(folder, { recursive: true });
    const code = await compile(join(projectRoot, 'test', 'dialects', `${dialect}.ts`), folder);
    const file = join(folder, 'run.mjs');
    writeFileSync(file, code.replace(/(["'])busbar\1/g, JSON.stringify(libraryEntry)));
    return import(pathToFileURL(file).href);
  })();

  test(`${name}: the class is described without making an instance`, async () => {
    const { Thermostat, SmartThermostat } = await compiled;
    assert.equal(summary(describe(Thermostat)), thermostat);
    assert.equal(summary(describe(SmartThermostat)), smartThermostat);
    assert.equal(summary(describe(new SmartThermostat())), smartThermostat);
  });

  test(`${name}: methods answer`, async () => {
    const { Thermostat, SmartThermostat } = await compiled;
    const plain = exportableOf(new Thermostat());
    assert.is(plain.callMethod('Heat', [25, 'kitchen'], callContext()), 'kitchen: 25');
    assert.is(await plain.callMethod('WhoAsks', [], callContext(':1.7')), ':1.7');
    const smart = exportableOf(new SmartThermostat());
    assert.is(smart.callMethod('Heat', [25, 'kitchen'], callContext()), 'smart kitchen: 25');
    assert.is(smart.callMethod('Learn', [], callContext()), true);
  });

  test(`${name}: properties keep their first values, and values that are set`, async () => {
    const { SmartThermostat } = await compiled;
    const instance = new SmartThermostat();
    const exportable = exportableOf(instance);
    assert.is(exportable.properties.get('Target'), 20);
    assert.equal(exportable.properties.get('Labels'), { floor: 'ground' });
    assert.is(exportable.properties.get('Model'), 'T1');
    new RecordingOutlet().attachTo(exportable);
    assert.is(exportable.properties.get('Target'), 20);
    exportable.properties.set('Target', 21.5);
    assert.is(instance.Target, 21.5);
    exportable.properties.set('Code', '1234');
    assert.is(instance.Limit, 4);
  });

  test(`${name}: changes are sent once, together`, async () => {
    const { Thermostat } = await compiled;
    const instance = new Thermostat();
    const exportable = exportableOf(instance);
    const outlet = new RecordingOutlet();
    outlet.attachTo(exportable);
    assert.equal(await outlet.settled(), []);
    exportable.properties.set('Target', 21);
    instance.Target = 22;
    instance.Labels = { floor: 'first' };
    instance.Limit = 99;
    exportable.properties.set('Code', '12345678901234567890123456789012345');
    assert.equal(await outlet.settled(), [{ changed: { Target: 22, Limit: 35 }, invalidated: ['Labels'] }]);
    instance.Target = 22;
    instance.Limit = 99;
    assert.equal(await outlet.settled(), []);
  });

  test(`${name}: a value of another type is refused when it is assigned`, async () => {
    const { Thermostat } = await compiled;
    const instance = new Thermostat();
    new RecordingOutlet().attachTo(instance);
    const misfit = () => {
      (instance as { Target: unknown }).Target = 'warm';
    };
    assert.throws(misfit, /property Target: expected/);
    assert.is(instance.Target, 20);
  });

  test(`${name}: two instances keep their own values`, async () => {
    const { Thermostat } = await compiled;
    const first = new Thermostat();
    const second = new Thermostat();
    const outlet = new RecordingOutlet();
    new RecordingOutlet().attachTo(first);
    outlet.attachTo(second);
    first.Target = 5;
    assert.is(second.Target, 20);
    assert.equal(await outlet.settled(), []);
  });

  test(`${name}: signals emit what they return`, async () => {
    const { SmartThermostat } = await compiled;
    const instance = new SmartThermostat();
    const outlet = new RecordingOutlet();
    assert.equal(instance.TooHot('unheard'), ['unheard', 20]);
    const detach = outlet.attachTo(instance);
    assert.equal(instance.TooHot('kitchen'), ['kitchen', 20]);
    assert.equal(await instance.Later({ a: 'b' }), { a: 'b' });
    detach();
    instance.TooHot('unheard');
    assert.equal(await outlet.settled(), [
      { signal: 'TooHot', values: ['kitchen', 20] },
      { signal: 'Later', values: [{ a: 'b' }] },
    ]);
  });
}

test.run();
