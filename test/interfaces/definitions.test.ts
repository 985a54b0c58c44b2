/** The definitions of @busbar/interfaces: they are what was recorded, and the files are what the generator makes of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { families } from '../../packages/interfaces/families/index.js';
import { outputs } from '../../packages/interfaces/generate/outputs.js';
import { exportedNameIn } from '../../packages/interfaces/generate/overlay.js';
import {
  type InterfaceDefinition,
  type InterfaceDescription,
  introspectionXml,
  parseIntrospection,
} from '../../src/index.js';
import { projectRoot } from '../helpers/paths.js';

const test = suite('ready definitions');
const folder = join(projectRoot, 'packages/interfaces');
const names = Object.keys(families);

function recordedIn(family: string): ReadonlyMap<string, InterfaceDescription> {
  return parseIntrospection(readFileSync(join(folder, 'introspection', `${family}.xml`), 'utf8')).interfaces;
}

async function definitionsIn(family: string): Promise<ReadonlyMap<string, InterfaceDefinition>> {
  const exported: Record<string, unknown> = await import(`../../packages/interfaces/src/${family}.js`);
  const isDefinition = (value: unknown): value is InterfaceDefinition =>
    typeof value === 'object' && value !== null && 'description' in value;
  return new Map(Object.entries(exported).flatMap(([name, value]) => (isDefinition(value) ? [[name, value]] : [])));
}

/** What of a description is on the wire or in introspection data, without what was written by hand. */
function facts(description: InterfaceDescription, family: string): unknown {
  const { corrections = {}, emits = {}, argumentNames = {} } = families[family] as (typeof families)[string];
  const prefix = exportedNameIn(families[family] as never, description.name);
  const unnamed = (member: string, args: readonly { name: string | undefined; signature: string }[]) =>
    args.map(({ name, signature }) => (`${prefix}.${member}` in argumentNames ? signature : `${name}:${signature}`));
  const options = ({ annotations, deprecated }: { annotations: ReadonlyMap<string, string>; deprecated: boolean }) => [
    ...annotations,
    deprecated,
  ];
  return {
    name: description.name,
    annotations: [...description.annotations],
    methods: [...description.methods].map(([key, method]) => [
      ...[key, unnamed(key, method.in), unnamed(key, method.out), method.noReply && method.out.length === 0],
      options(method),
    ]),
    signals: [...description.signals].map(([key, signal]) => [
      ...[key, `${prefix}.${key}` in corrections ? 'corrected' : unnamed(key, signal.args), options(signal)],
    ]),
    properties: [...description.properties].map(([key, property]) => [
      ...[key, property.signature, property.access, options(property)],
      `${prefix}.${key}` in emits ? 'by hand' : property.emits,
    ]),
  };
}

test('each recording has a family, and each family a recording', () => {
  const files = readdirSync(join(folder, 'introspection')).filter((name) => name.endsWith('.xml'));
  assert.equal(files.map((name) => name.slice(0, -'.xml'.length)).sort(), names.toSorted());
  assert.ok(names.length >= 22);
});

for (const family of names) {
  test(`${family}: the definitions are the recorded interfaces`, async () => {
    const recorded = recordedIn(family);
    const definitions = await definitionsIn(family);
    assert.equal([...definitions.values()].map(({ name }) => name).sort(), [...recorded.keys()].sort());
    for (const { name, description } of definitions.values()) {
      const expected = facts(recorded.get(name) as InterfaceDescription, family);
      assert.equal(facts(description, family), expected, name);
      // A service of the definition describes itself as the recorded one did.
      const xml = introspectionXml({ path: '/', interfaces: new Map([[name, description]]), children: new Map() });
      assert.equal(facts(parseIntrospection(xml).interfaces.get(name) as InterfaceDescription, family), expected, name);
    }
  });
}

test('the files are what the generator makes, so that making them again changes nothing', () => {
  const stale = outputs(folder).filter(({ path, text }) => readFileSync(path, 'utf8') !== text);
  assert.equal(
    stale.map(({ family }) => family),
    [],
    'npm run generate -w @busbar/interfaces',
  );
});

test('recordings have facts only: no documentation, no comments, no annotations for single languages', () => {
  for (const family of names) {
    const xml = readFileSync(join(folder, 'introspection', `${family}.xml`), 'utf8');
    assert.not.match(xml, /<!--|DocString|docstring|org\.gtk\.|GLib|QtDBus|<doc/, family);
  }
});

test('RECORDED.md says of each interface where it was recorded', () => {
  const page = readFileSync(join(folder, 'introspection/RECORDED.md'), 'utf8');
  const sections = new Map(page.split(/^## /m).map((section) => [section.split('\n')[0], section]));
  for (const family of names) {
    const listed = [...(sections.get(family) ?? '').matchAll(/^- `(\S+)`$/gm)].map(([, name]) => name);
    assert.equal(listed.sort(), [...recordedIn(family).keys()].sort(), family);
    assert.match(sections.get(family) ?? '', /Debian package \S+ \S+, \d{4}-\d\d-\d\d:/, family);
  }
});

test('each interface has a sentence of documentation, and is exported by one name', async () => {
  for (const family of names.filter((name) => !['networkmanager', 'modemmanager', 'udisks2'].includes(name))) {
    const docs = families[family]?.docs ?? {};
    for (const name of (await definitionsIn(family)).keys()) assert.ok(name in docs, `${family}: ${name}`);
  }
});

test.run();
