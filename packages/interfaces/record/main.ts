/**
 * Records the introspection data of all families, or of those that are named: `node --import tsx
 * packages/interfaces/record/main.ts [FAMILIES…]`, as root in Debian 12. Writes introspection/*.xml and RECORDED.md.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InterfaceDescription } from 'busbar';
import { factsOf, recordedXml } from './facts.js';
import { versionOf } from './packages.js';
import { sources } from './sources.js';

const folder = join(import.meta.dirname, '../introspection');
const list = join(folder, 'RECORDED.md');

interface Recorded {
  readonly family: string;
  readonly interfaces: readonly string[];
  readonly package: string;
  readonly read: string;
}

const families = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(sources);
for (const family of families) await record(family);

async function record(family: string): Promise<void> {
  const found = new Map<string, InterfaceDescription>();
  const recorded: Recorded[] = [];
  for (const source of sources[family] ?? []) {
    const documents = await source.xml();
    const interfaces = documents
      .flatMap((xml) => factsOf(xml, source.package))
      .filter(({ name }) => (source.only?.test(name) ?? true) && !found.has(name));
    for (const each of interfaces) found.set(each.name, each);
    const names = [...new Set(interfaces.map(({ name }) => name))].sort();
    recorded.push({
      family,
      interfaces: names,
      package: `${source.package} ${versionOf(source.package)}`,
      read: source.read,
    });
  }
  writeFileSync(join(folder, `${family}.xml`), recordedXml([...found.values()]));
  console.log(family, found.size);
  note(family, recorded);
}

/** Replaces the family's lines in RECORDED.md, which are sorted. */
function note(family: string, recorded: readonly Recorded[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const [head = '', ...sections] = existsSync(list) ? readFileSync(list, 'utf8').split(/\n(?=## )/) : ['# Recorded\n'];
  const kept = sections.map((section) => section.trimEnd()).filter((section) => !section.startsWith(`## ${family}\n`));
  const parts = recorded.map(
    (each) =>
      `${each.read[0]?.toUpperCase()}${each.read.slice(1)}. Debian package ${each.package}, ${date}:\n\n${lines(each)}`,
  );
  const text = [head.trimEnd(), ...[...kept, `## ${family}\n\n${parts.join('\n\n')}`].sort()].join('\n\n');
  writeFileSync(list, `${text}\n`);
}

function lines({ interfaces }: Recorded): string {
  return interfaces.map((name) => `- \`${name}\``).join('\n');
}
