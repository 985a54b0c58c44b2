#!/usr/bin/env node
/**
 * What prebuildify takes for node-gyp: builds with cmake-js instead, for the target that prebuildify's environment
 * variables name. prebuildify has no backend for cmake-js, and passes options that only node-gyp knows.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { PREBUILD_ARCH: arch, BUSBAR_TOOLCHAIN: toolchain } = process.env;

// Always from scratch: a configured folder would keep its compiler, whatever the toolchain file says.
const args = ['rebuild', '-d', root, '-O', join(process.cwd(), 'build'), '-B', 'Release', '-a', arch];
if (toolchain !== undefined) args.push(`--CDCMAKE_TOOLCHAIN_FILE=${toolchain}`);
const cmakeJs = join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js');
const { status } = spawnSync(process.execPath, [cmakeJs, ...args], { stdio: 'inherit' });
process.exit(status ?? 1);
