/**
 * The declarations that the package ships: all of them in one file, without what is marked `@internal`.
 *
 * They are in `dist/index.d.cts`, and `dist/index.d.ts` is nothing but all of that: whether a file of a user's is CommonJS
 * or not, the types are the same ones. TypeScript would take two copies of a class for two classes.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runQuietly } from './report.mjs';

/** Where the compiler leaves the declarations of each file. */
const parts = 'build/declarations';

/**
 * What the declarations need of a user's compiler: the types of Node.js, of which `Buffer` is one, and those of `using`.
 * Nothing has to be named in `types` and `lib` therefore, which are empty and small where `tsc --init` made them.
 */
const REFERENCES =
  '/// <reference types="node" />\n/// <reference lib="es2020" />\n/// <reference lib="esnext.disposable" />\n';

/** Makes `dist/index.d.cts` and `dist/index.d.ts` of src/. */
export async function buildDeclarations() {
  rmSync(join(root, parts), { recursive: true, force: true });
  const compiler = 'node_modules/typescript/bin/tsc';
  runQuietly(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noEmitOnError']);
  for (const source of filesBelow('src')) closeConstructors(source);
  const text = await rolledUp();
  writeFileSync(join(root, 'dist/index.d.cts'), `${REFERENCES}${exportedInPlace(text)}`);
  writeFileSync(join(root, 'dist/index.d.ts'), "export * from './index.cjs';\n");
}

/**
 * A constructor that is `@internal` is not in the declarations, which says that anybody may call it without arguments. This
 * says that nobody may.
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
 * Says `export` where something is declared, in place of a list at the end: users add to the interface `Register`, which
 * compilers refuse where it is exported by a list.
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
  return `${rest.trimEnd()}\n\nexport {};\n`;
}

/**
 * Of two declarations with one name the exported one is called `NAME$1`, where the other came first. That one gives way; in
 * comments the name means the exported one.
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
