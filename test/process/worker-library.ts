// The library in one file, because a hundred workers start faster without compiling it a hundred times. It finds the addon
// as always, in the `build` and `prebuilds` beside its folder.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { bundleCommon } from '../../scripts/setup/bundling.mjs';
import { onExit } from '../helpers/exit-cleanup.js';
import { libraryEntry } from '../helpers/own-runtime.js';
import { projectRoot } from '../helpers/paths.js';

/** Bundles the library into a new temporary folder, which is removed with this process, and returns its URL. */
export async function bundleLibrary(format: 'esm' | 'cjs' = 'esm'): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-worker-'));
  onExit(() => rmSync(folder, { recursive: true, force: true }));
  const bundle = join(folder, `dist/busbar.${format === 'esm' ? 'mjs' : 'cjs'}`);
  for (const name of ['node_modules', 'build', 'prebuilds', 'package.json'])
    symlinkSync(join(projectRoot, name), join(folder, name));
  if (format === 'cjs') {
    mkdirSync(dirname(bundle));
    writeFileSync(bundle, (await bundleCommon('src/index.ts')).text);
  } else {
    await build({
      entryPoints: [fileURLToPath(libraryEntry)],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format,
      packages: 'external',
      logLevel: 'error',
    });
  }
  return pathToFileURL(bundle).href;
}
