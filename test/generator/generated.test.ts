// Generated files: all introspection data of ../shared/data and random descriptions, in each form, are compiled by the
// oldest and the newest TypeScript, formatted, and compared with what a service has that implements them.
// time limit: 300 s
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FORMS, type Form, generateFiles } from '../../src/generator/generate.js';
import { exportedName } from '../../src/generator/names.js';
import {
  type Describable,
  describe,
  type ExportedObject,
  type InterfaceDescription,
  InvalidArgumentError,
  implement,
  type LooseMembers,
  type MessageBus,
  type NodeDescription,
  pair,
  parseIntrospection,
} from '../../src/index.js';
import { libraryEntry } from '../helpers/own-runtime.js';
import { projectRoot, sharedPath } from '../helpers/paths.js';
import { seed } from '../helpers/replay.js';
import { testUnless } from '../helpers/skip.js';
import { arbitraryDescription } from './arbitrary-descriptions.js';
import { canonical } from './canonical.js';

const test = suite('generated files');
const RANDOM = 60;

/** Interfaces that belong together: their files are in one folder. */
interface Source {
  readonly name: string;
  readonly descriptions: readonly InterfaceDescription[];
}

const data = sharedPath('data');
const work = join(projectRoot, 'build', `generated-${process.pid}`);
test.after(() => rmSync(work, { recursive: true, force: true }));

const recorded: readonly Source[] = ['introspection-debian', 'introspection-peers'].flatMap((folder) => {
  if (data === undefined) return [];
  return readdirSync(join(data, folder))
    .filter((file) => file.endsWith('.xml'))
    .map((file) => {
      const xml = readFileSync(join(data, folder, file), 'utf8');
      return { name: file.slice(0, -4), descriptions: parsed(xml) };
    });
});

const random: Source = {
  name: 'random',
  descriptions: fc
    .sample(fc.tuple(...Array.from({ length: RANDOM }, (_, index) => arbitraryDescription(`org.example.N${index}`))), {
      seed,
      numRuns: 1,
    })
    .flat(),
};

/** The interfaces of all nodes; the first one of each name. */
function parsed(xml: string): readonly InterfaceDescription[] {
  const all = (node: NodeDescription): InterfaceDescription[] => [
    ...node.interfaces.values(),
    ...[...node.children.values()].flatMap(all),
  ];
  const found = all(parseIntrospection(xml, { documentation: true }));
  return [...new Map(found.reverse().map((each) => [each.name, each])).values()];
}

const sources = [...recorded, random];
for (const form of FORMS) {
  for (const { name, descriptions } of sources) {
    const folder = join(work, form, name);
    mkdirSync(folder, { recursive: true });
    for (const file of generateFiles(descriptions, form)) writeFileSync(join(folder, file.name), file.text);
  }
}
mkdirSync(join(work, 'node_modules'));
symlinkSync(projectRoot, join(work, 'node_modules/busbar'));
writeFileSync(join(work, 'package.json'), '{"type":"module"}');

const compilerOptions = {
  ...{ target: 'es2022', module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: [] },
  ...{ exactOptionalPropertyTypes: true, noImplicitOverride: true, noUnusedLocals: true, noUnusedParameters: true },
  ...{ noPropertyAccessFromIndexSignature: true, noUncheckedIndexedAccess: true, noImplicitReturns: true },
  ...{ verbatimModuleSyntax: true, isolatedModules: true },
};
writeFileSync(
  join(work, 'tsconfig.json'),
  JSON.stringify({ compilerOptions, include: FORMS.map((form) => `${form}/**/*.ts`) }),
);

for (const [which, folder] of [
  ['oldest', 'test/types/oldest/node_modules/typescript'],
  ['newest', 'node_modules/typescript'],
] as const) {
  test(`all files compile under the ${which} TypeScript, strictly`, () => {
    const tsc = join(projectRoot, folder, 'bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '--pretty', 'false', '-p', work], { encoding: 'utf8' });
    assert.is(stdout, '', `BUSBAR_SEED=${seed}`);
  });
}

test('formatting changes no file that was generated from recorded data', () => {
  const biome = join(projectRoot, 'node_modules/.bin/biome');
  const configuration = {
    formatter: { indentStyle: 'space', lineWidth: 120 },
    javascript: { formatter: { quoteStyle: 'single' } },
  };
  writeFileSync(join(work, 'biome.json'), JSON.stringify({ root: true, ...configuration }));
  const folders = FORMS.flatMap((form) => recorded.map(({ name }) => join(form, name)));
  if (folders.length === 0) return;
  const { status, stderr } = spawnSync(biome, ['format', ...folders], { cwd: work, encoding: 'utf8' });
  assert.is(status, 0, stderr);
});

testUnless(data === undefined ? 'there is no ../shared/data' : undefined, test, 'the recorded data is there', () => {
  assert.ok(recorded.length >= 56);
  assert.ok(recorded.flatMap(({ descriptions }) => descriptions).length > 90);
});

test('generating again gives the same files, in any order of the interfaces', () => {
  for (const form of FORMS) {
    for (const { name, descriptions } of sources) {
      for (const file of generateFiles([...descriptions].reverse(), form)) {
        assert.is(readFileSync(join(work, form, name, file.name), 'utf8'), file.text);
      }
    }
  }
});

/** The values that a generated file exports. */
async function load(form: Form, source: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(work, form, source, file);
  const { code } = await transform(readFileSync(path, 'utf8'), { loader: 'ts', target: 'es2022', format: 'esm' });
  const compiled = path.replace(/\.ts$/, '.mjs');
  writeFileSync(compiled, code.replace(/from "busbar"/, `from ${JSON.stringify(libraryEntry)}`));
  return (await import(pathToFileURL(compiled).href)) as Readonly<Record<string, unknown>>;
}

for (const form of FORMS) {
  test(`${form}: the description is that which the file was generated from`, async () => {
    for (const { name, descriptions } of sources) {
      for (const [description, file] of paired(descriptions, form)) {
        const exported = (await load(form, name, file))[exportedName(description.name)];
        assert.equal(canonical(describe(exported as Describable)), canonical(description), `${name} ${file} ${seed}`);
      }
    }
  });
}

for (const form of ['service', 'class'] as const) {
  test(`${form}: a service that has it is introspected as the data says`, async () => {
    const [client, service] = await pair();
    let count = 0;
    for (const { name, descriptions } of sources) {
      for (const [description, file] of paired(descriptions, form)) {
        const object = objectOf(await load(form, name, file), description, form);
        if (object === undefined) continue;
        count++;
        assert.equal(await introspected(client, service, object, description.name), canonical(description), file);
        const differences = await client.conforms(description, undefined, '/object').catch(() => undefined);
        assert.is(differences, undefined, 'the object is exported only while it is introspected');
      }
    }
    assert.ok(count > (data === undefined ? 20 : 100), `${count} interfaces`);
    await Promise.all([client.close(), service.close()]);
  });
}

function paired(descriptions: readonly InterfaceDescription[], form: Form): [InterfaceDescription, string][] {
  const sorted = [...descriptions].sort((a, b) => (a.name < b.name ? -1 : 1));
  return generateFiles(descriptions, form).map((file, index) => [sorted[index] as InterfaceDescription, file.name]);
}

/** An object with the interface; `undefined` if a service cannot have it: a standard one, or one for a class alone. */
function objectOf(
  exported: Readonly<Record<string, unknown>>,
  { name }: InterfaceDescription,
  form: Form,
): ExportedObject | undefined {
  const made = exported[exportedName(name)];
  try {
    if (form === 'class') return new (made as new () => ExportedObject & object)();
    const skeleton = exported[`${exportedName(name)}Skeleton`] as LooseMembers | undefined;
    const { description } = made as { readonly description: InterfaceDescription };
    const isEmpty = description.methods.size + description.properties.size === 0;
    return skeleton === undefined && !isEmpty ? undefined : implement(description, skeleton ?? {});
  } catch (error) {
    if (error instanceof InvalidArgumentError && /busbar provides/.test(error.message)) return undefined;
    throw error;
  }
}

async function introspected(client: MessageBus, service: MessageBus, object: ExportedObject, name: string) {
  using _export = service.export('/object', object);
  const { node } = await client.object(undefined, '/object');
  return canonical(node.interfaces.get(name) as InterfaceDescription);
}

test.run();
