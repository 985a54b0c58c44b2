/** The compiled package @busbar/interfaces: packages/interfaces/dist. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printStep, root, runQuietly } from './report.mjs';

const folder = 'packages/interfaces';
const parts = 'build/interfaces';

/** The families: every file in src/ but the one that all of them contain. */
const families = () =>
  readdirSync(join(root, folder, 'src'))
    .filter((name) => name.endsWith('.ts') && name !== 'define.ts')
    .map((name) => name.slice(0, -'.ts'.length));

/**
 * Makes dist/ unless it is newer than everything that it is made of. It needs the declarations of the library. Each family
 * is one module, as an ES module and as CommonJS, which contains no other family.
 */
export async function buildInterfaces() {
  const reason = whyStale();
  if (reason === undefined) return;
  printStep(`building ${folder}/dist (${reason})`);
  rmSync(join(root, folder, 'dist'), { recursive: true, force: true });
  mkdirSync(join(root, folder, 'dist'), { recursive: true });
  await buildModules();
  await buildDeclarations();
  writeFileSync(join(root, folder, 'dist/complete'), '');
}

async function buildModules() {
  const { build } = await import('esbuild');
  const entryPoints = families().map((name) => join(folder, 'src', `${name}.ts`));
  for (const [format, extension] of [
    ['esm', '.js'],
    ['cjs', '.cjs'],
  ]) {
    await build({
      ...{ entryPoints, absWorkingDir: root, outdir: join(folder, 'dist'), outExtension: { '.js': extension } },
      ...{ bundle: true, external: ['busbar'], format, platform: 'node', target: 'es2022', logLevel: 'silent' },
      // The tsconfig of the project would find the sources of the library.
      tsconfigRaw: '{}',
    });
  }
}

/** The types are the same whether a user's file is CommonJS or not: those of the ES module re-export the others. */
async function buildDeclarations() {
  rmSync(join(root, parts), { recursive: true, force: true });
  runQuietly(process.execPath, ['node_modules/typescript/bin/tsc', '-p', join(folder, 'tsconfig.build.json')]);
  const { rollup } = await import('rollup');
  const { dts } = await import('rollup-plugin-dts');
  for (const name of families()) {
    const input = join(root, parts, `${name}.d.ts`);
    // The compiler names the library by its place if the file does not import it.
    const text = readFileSync(input, 'utf8').replaceAll(/import\("(?:\.\.\/)+dist\/index\.\w+"\)/g, 'import("busbar")');
    const isWhole = !/from '\.\//.test(text);
    const declarations = isWhole ? text : await rolledUp(rollup, dts, input);
    writeFileSync(join(root, folder, 'dist', `${name}.d.cts`), declarations);
    writeFileSync(join(root, folder, 'dist', `${name}.d.ts`), `export * from './${name}.cjs';\n`);
  }
}

async function rolledUp(rollup, dts, input) {
  const bundle = await rollup({ input, plugins: [dts()], external: (id) => /^[a-z]/.test(id) });
  const { output } = await bundle.generate({ format: 'es' });
  return output[0].code;
}

function whyStale() {
  const made = join(root, folder, 'dist/complete');
  if (!existsSync(made)) return 'it is not complete';
  const sources = readdirSync(join(root, folder, 'src'), { recursive: true }).map((name) => join(folder, 'src', name));
  const inputs = [...sources, join(folder, 'tsconfig.build.json'), 'scripts/setup/interfaces.mjs', 'dist/index.d.cts'];
  const { mtimeMs } = statSync(made);
  const changed = inputs.find((input) => statSync(join(root, input)).mtimeMs > mtimeMs);
  return changed && `${changed} changed`;
}
