/** Builds the site with VitePress, and serves it on this machine. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, serve } from 'vitepress';
import { root } from '../setup/report.mjs';
import { copyPages, source } from './pages.mjs';
import { makeReference } from './reference.mjs';

const folder = join(root, 'scripts', 'docs');

/** Builds the site and returns its folder. */
export async function buildSite() {
  rmSync(source, { recursive: true, force: true });
  const sidebar = copyPages();
  sidebar['/reference/'] = await makeReference(join(source, 'reference'));
  writeFileSync(join(source, 'sidebar.json'), JSON.stringify(sidebar));
  await build(folder);
  return join(root, 'build', 'site');
}

/** Serves the built site, and returns its address. */
export async function serveSite(port = 8080) {
  await serve({ root: folder, port });
  return `http://localhost:${port}/`;
}
