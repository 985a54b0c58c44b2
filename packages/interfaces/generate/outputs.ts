/** The generated files: one for each family. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseIntrospection } from 'busbar';
import { families } from '../families/index.js';
import { familyText } from './family-text.js';

export interface Output {
  readonly family: string;
  readonly path: string;
  readonly text: string;
}

/** The files below the folder of the package, as they should be. */
export function outputs(root: string): readonly Output[] {
  const texts = Object.entries(families).map(([name, family]) => {
    const xml = readFileSync(join(root, 'introspection', `${name}.xml`), 'utf8');
    const { interfaces } = parseIntrospection(xml, { origin: `${name}.xml` });
    return [name, familyText(name, family, interfaces.values())] as const;
  });
  return formatted(root, texts);
}

/** What is more than the interfaces of a family is beside them, and its entry joins the two. */
function pathOf(root: string, family: string): string {
  return join(root, 'src', family === 'portals' ? 'portals/interfaces.ts' : `${family}.ts`);
}

/** The formatter of the project lays out what the generator leaves to it, such as long types. */
function formatted(root: string, texts: readonly (readonly [name: string, text: string])[]): readonly Output[] {
  const project = join(root, '../..');
  const folder = mkdtempSync(join(tmpdir(), 'busbar-generate-'));
  try {
    for (const [name, text] of texts) writeFileSync(join(folder, `${name}.ts`), text);
    const { vcs: _, files: __, ...settings } = JSON.parse(readFileSync(join(project, 'biome.json'), 'utf8'));
    writeFileSync(join(folder, 'biome.json'), JSON.stringify(settings));
    const biome = join(project, 'node_modules/@biomejs/biome/bin/biome');
    const { status, stderr } = spawnSync(process.execPath, [biome, 'format', '--write', '.'], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the formatter failed: ${stderr}`);
    return texts.map(([family]) => ({
      family,
      path: pathOf(root, family),
      text: readFileSync(join(folder, `${family}.ts`), 'utf8'),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
