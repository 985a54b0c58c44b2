/**
 * The error text if no binary of the addon loads: what was tried, how it failed, and what to do. Nothing here throws.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { allBinaries, cLibrary, machineFolder } from './binaries.js';
import { environmentVariable } from './environment.js';
import { type Place, shippedFolders } from './places.js';

/** A file that did not load, or a folder that could not be read. */
export interface Attempt {
  readonly file: string;
  readonly error: unknown;
}

/**
 * The machines that the package has binaries for. If one of these is missing, it was lost after the package was
 * published.
 */
export const SHIPPED = [
  'linux-arm/busbar.glibc.node',
  'linux-arm64/busbar.glibc.node',
  'linux-arm64/busbar.musl.node',
  'linux-riscv64/busbar.glibc.node',
  'linux-x64/busbar.glibc.node',
  'linux-x64/busbar.musl.node',
];

/** The text of the error, which ends with what to do. */
export function failureText(attempts: readonly Attempt[], searched: readonly Place[]): string {
  const reasons = attempts.map(({ error }) => firstLine(error));
  const folders = searched.map(({ folder }) => folder);
  const binaries = [...new Set(folders.flatMap(allBinaries))];
  return [
    `the native addon of busbar could not be loaded: ${reasons.join('; ') || 'there is no binary for this machine'}`,
    `this machine: ${machine()}`,
    `looked in: ${folders.map((folder) => join(folder, 'prebuilds')).join(', ') || 'nothing'}`,
    `prebuilt binaries: ${binaries.join(', ') || 'none'}`,
    cure(attempts, searched[0]),
  ].join('\n  ');
}

function cure(attempts: readonly Attempt[], place: Place | undefined): string {
  if (process.platform !== 'linux') return 'busbar works on Linux only; use a container or a virtual machine elsewhere';
  for (const attempt of attempts) {
    const known = cureOf(attempt, place);
    if (known !== undefined) return known;
  }
  if (place === undefined)
    return `${BUNDLE}; the location of the bundle is unknown here, so set BUSBAR_PREBUILD to the folder that contains "prebuilds"`;
  if (attempts.length > 0) return buildCommand(place);
  return cureOfAbsence(place);
}

const BUNDLE = 'this is a bundle: put busbar\'s folder "prebuilds" beside it';

/** What to do about one failure, if it is a known one. */
function cureOf({ file, error }: Attempt, place: Place | undefined): string | undefined {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  const text = textOf(error);
  if (code === 'ERR_DLOPEN_DISABLED') return addonsAllowed();
  if (code === 'ERR_ACCESS_DENIED') return `this process may not read it: start Node.js with --allow-fs-read=${file}`;
  if (name === 'NotCapable' || name === 'PermissionDenied') return denoAllowed(text);
  if (/failed to map segment|cannot apply additional memory protection/.test(text)) {
    return (
      `no code can run from ${dirname(file)}, because of the mount option noexec or a policy: copy ` +
      'the folder "prebuilds" to a place where code can run, and set BUSBAR_PREBUILD to the folder that contains it'
    );
  }
  if (text.includes('of another version of busbar')) {
    if (!file.includes('/prebuilds/'))
      return `it was built from other sources than these: ${rebuildCommand(dirname(file))}`;
    return 'copy the folder "prebuilds" again, from the version of busbar that the program contains';
  }
  if (/file too short|invalid ELF header|file data|is truncated/i.test(text)) {
    return 'the file is damaged, or a pointer of Git LFS: install busbar again';
  }
  if (/(libstdc\+\+|libgcc_s)\S*: cannot open/.test(text)) {
    return "install the C++ library of GCC: on Debian and Ubuntu it is libstdc++6, in Google's distroless images the image cc";
  }
  if (/version `(GLIBC|GLIBCXX|CXXABI|GCC)/.test(text)) {
    return `this system is older than the binary requires; ${place === undefined ? BUNDLE : buildCommand(place)}`;
  }
  return isForeign(file) ? place && cureOfAbsence(place) : undefined;
}

/** Both options have the same error. */
function addonsAllowed(): string {
  const options = [...process.execArgv, ...(environmentVariable('NODE_OPTIONS') ?? '').split(' ')];
  if (options.includes('--no-addons')) return 'Node.js was started with --no-addons: start it without that option';
  return 'Node.js was started with --permission: start it with --allow-addons as well';
}

/** The text of Deno's error names the permission that is needed. */
function denoAllowed(text: string): string {
  const wanted = /--allow-\w+/.exec(text)?.[0] ?? '--allow-ffi';
  const others = wanted === '--allow-ffi' ? '' : ' and --allow-ffi';
  return `start Deno with ${wanted}${others}; a program that is compiled gets them from "deno compile"`;
}

/** What to do if the binary for this machine is missing. */
function cureOfAbsence(place: Place): string {
  const { folder, of } = place;
  if (of === 'variable') {
    return `BUSBAR_PREBUILD names the folder ${folder}, which must contain a binary in ${machineFolder()}`;
  }
  if (of === 'bundle') return `${BUNDLE}, or set BUSBAR_PREBUILD to the folder that contains it`;
  if (!ownBinaries().some((name) => SHIPPED.includes(name))) return buildCommand(place);
  const left = shippedFolders().length === 0 ? 'the folder "prebuilds" was' : 'the binary for this machine was';
  return (
    `${left} left out when busbar was copied: configure the tool that copied it (a bundler, a file tracer, a Dockerfile) to include all of ` +
    `${join(folder, 'prebuilds')}, or install busbar where the program runs`
  );
}

/** The names of the binaries that may run here. */
function ownBinaries(): readonly string[] {
  const known = cLibrary();
  const libraries = known === undefined ? ['glibc', 'musl'] : [known];
  return libraries.map((library) => `${process.platform}-${process.arch}/busbar.${library}.node`);
}

/** Whether a file is for another C library than that of this process. */
function isForeign(file: string): boolean {
  return file.endsWith('.node') && file.includes('/prebuilds/') && !ownBinaries().some((name) => file.endsWith(name));
}

/** @param built the folder `build/Release` of the package */
function rebuildCommand(built: string): string {
  const folder = dirname(dirname(built));
  return `run npx cmake-js build -B Release in ${folder}, or remove ${join(folder, 'build')} if there are prebuilt binaries`;
}

/** Unpacks the sources of the addon. In the project they are not packed. */
const UNPACK =
  'node -e "process.stdout.write(zlib.brotliDecompressSync(fs.readFileSync(\'dist/native.tar.br\')))" | tar -xf - && ';

function buildCommand({ folder, of }: Place): string {
  const where = of === 'package' ? folder : 'the folder of the package, which has the sources,';
  const unpacked = existsSync(join(folder, 'CMakeLists.txt')) ? '' : UNPACK;
  return (
    `to build one, with a C++20 compiler and CMake, run in ${where}:\n` +
    `    ${unpacked}npm install --no-save --save-prod --omit=dev cmake-js node-addon-api && npx cmake-js build -B Release`
  );
}

function firstLine(error: unknown): string {
  return textOf(error).split('\n', 1)[0] ?? '';
}

/** The error may be from another realm, as in the tests of Jest. */
function textOf(error: unknown): string {
  const { message } = Object(error) as { message?: unknown };
  return typeof message === 'string' ? message : inspect(error);
}

function machine(): string {
  const library = process.platform === 'linux' ? [cLibraryText()] : [];
  return [`${process.platform}-${process.arch}`, ...library, `node ABI ${process.versions.modules}`].join(', ');
}

/**
 * The C library and its version. The report is slow, so only an error text uses it. Deno throws if it may not give
 * system information.
 */
function cLibraryText(): string {
  const library = cLibrary();
  if (library === 'musl') return library;
  try {
    const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return `glibc ${header?.glibcVersionRuntime ?? ''}`.trimEnd();
  } catch {
    return library ?? 'an unknown C library';
  }
}
