/**
 * The declarations that the package ships: all of them in one file, without those marked `@internal`.
 *
 * They are in `dist/index.d.cts`, and `dist/index.d.ts` only re-exports them: the types are the same whether a user's file
 * is CommonJS or not. TypeScript would take two copies of a class for two classes.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runQuietly } from './report.mjs';

/** The folder in which the compiler writes the declarations of each file. */
const parts = 'build/declarations';

/**
 * The requirements of the declarations: the types of Node.js, of which `Buffer` is one, and those of `using`. So `types`
 * and `lib` need not name them, which are empty and small in the output of `tsc --init`.
 */
const REFERENCES =
  '/// <reference types="node" />\n/// <reference lib="es2020" />\n/// <reference lib="esnext.disposable" />\n';

/** Makes the declarations in dist/ of src/. `busbar/current-call` takes its types from those of `busbar`. */
export async function buildDeclarations() {
  rmSync(join(root, parts), { recursive: true, force: true });
  const compiler = 'node_modules/typescript/bin/tsc';
  runQuietly(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noEmitOnError']);
  for (const source of filesBelow('src')) closeConstructors(source);
  const text = await rolledUp();
  writeFileSync(join(root, 'dist/index.d.cts'), `${REFERENCES}${exportedInPlace(text)}`);
  writeFileSync(join(root, 'dist/index.d.ts'), "export * from './index.cjs';\n");
  const currentCall = readFileSync(join(root, parts, 'current-call.d.ts'), 'utf8');
  writeFileSync(join(root, 'dist/current-call.d.cts'), currentCall.replace(/(?<=from ')\.[^']+/, './index.cjs'));
  writeFileSync(join(root, 'dist/current-call.d.ts'), "export * from './current-call.cjs';\n");
}

/**
 * A constructor that is `@internal` is not in the declarations, so that calling it without arguments would compile. This
 * makes it private.
 */
function closeConstructors(source) {
  const text = readFileSync(join(root, source), 'utf8');
  const file = join(root, parts, source.replace(/^src\//, '').replace(/\.ts$/, '.d.ts'));
  for (const { index } of text.matchAll(/@internal(?:(?!\*\/)[\s\S])*\*\/\s*constructor\(/g)) {
    const name = [...text.slice(0, index).matchAll(/\bclass (\w+)/g)].at(-1)[1];
    const head = new RegExp(`^(?:export )?declare (?:abstract )?class ${name}\\b.*\\{$`, 'm');
    writeFileSync(file, readFileSync(file, 'utf8').replace(head, '$&\n    protected constructor();'));
  }
}

async function rolledUp() {
  const { rollup } = await import('rollup');
  const { dts } = await import('rollup-plugin-dts');
  const bundle = await rollup({
    input: join(root, parts, 'index.d.ts'),
    plugins: [dts()],
    external: (id) => /^[a-z]/.test(id),
    onwarn: ({ message }) => {
      throw new Error(message);
    },
  });
  const { output } = await bundle.generate({ format: 'es' });
  return output[0].code;
}

/**
 * Writes `export` at each declaration, in place of a list at the end: users add to the interface `Register`, which
 * compilers refuse if it is exported by a list.
 */
function exportedInPlace(rolled) {
  const listed = (code) => [...code.matchAll(/^export (?:type )?\{(.*)\};$/gm)];
  const namesIn = (lists) => lists.flatMap(([, list]) => list.split(',').map((name) => name.trim()));
  const text = namesIn(listed(rolled))
    .filter((name) => name.includes(' as '))
    .reduce(exportedName, rolled);
  const lists = listed(text);
  const names = new Set(namesIn(lists));
  const declaration = /^(?:declare )?(?:abstract )?(?:class|function|const|interface|type) ([\w$]+)/gm;
  const found = text.replace(declaration, (line, name) => (names.has(name) ? `export ${line}` : line));
  const rest = lists.reduce((code, [list]) => code.replace(list, ''), found);
  // Without this everything in a file of declarations is exported.
  return `${withTabs(withoutInnerDocs(rest).trimEnd())}\n\nexport {};\n`;
}

/** Leaves out what is said of declarations that are not exported, except of their members, which exported ones may inherit. */
const withoutInnerDocs = (text) => text.replace(/^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n(?=(?!export)\S)/gm, '');

/** Indents by tabs, which are a quarter of the spaces. */
const withTabs = (text) => text.replace(/^( {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4));

/**
 * If two declarations have one name and the other one comes first, the exported one is called `NAME$1`. The other one is
 * renamed instead; in comments the name means the exported one.
 */
function exportedName(text, renaming) {
  const [local, name] = renaming.split(' as ');
  const word = (text) => new RegExp(`(?<![\\w$])${text.replace('$', '\\$')}(?![\\w$])`, 'g');
  const renamed = (line) => line.replace(word(name), () => `${name}$internal`).replace(word(local), () => name);
  const lines = text.replace(renaming, local).split('\n');
  return lines.map((line) => (/^\s*(\/\*\*|\*)/.test(line) ? line : renamed(line))).join('\n');
}

function filesBelow(folder) {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`);
}
