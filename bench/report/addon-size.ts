/** How large the addon is that npm users get. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../test/helpers/paths.js';

/** The bytes of the stripped binary for this platform; `undefined` where there is none. */
export function addonBytes(): number | undefined {
  const folder = join(projectRoot, 'prebuilds', `${process.platform}-${process.arch}`);
  if (!existsSync(folder)) return undefined;
  const sizes = readdirSync(folder).map((file) => statSync(join(folder, file)).size);
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}
