/** Information from readelf about a binary. */
import { spawnSync } from 'node:child_process';

export function hasReadelf() {
  return spawnSync('readelf', ['--version'], { stdio: 'ignore' }).status === 0;
}

/**
 * @param {string} path of the binary
 * @returns its machine, how many bytes of it are loaded, the libraries it needs, run-time search paths, exported and
 *   imported symbols, the symbol versions that it needs as `[family, numbers]`, and whether it still has a symbol table
 */
export function inspect(path) {
  const header = readelf('--file-header', path);
  const dynamic = readelf('--dynamic', path);
  const symbols = readelf('--dyn-syms', path);
  const segments = readelf('--program-headers', path);
  return {
    machine: /Machine:\s+(.*)/.exec(header)?.[1].trim(),
    loaded: [...segments.matchAll(/^\s+LOAD\s+0x\w+ 0x\w+ 0x\w+ (0x\w+)/gm)].reduce(
      (sum, [, size]) => sum + Number(size),
      0,
    ),
    needed: [...dynamic.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name),
    searchPaths: [...dynamic.matchAll(/\((?:RPATH|RUNPATH)\).*\[(.*)\]/g)].map(([, name]) => name),
    exported: namesOf(symbols, /\b(?:GLOBAL|WEAK)\s+DEFAULT\s+\d+\s+(\S+)/),
    imported: namesOf(symbols, /\bDEFAULT\s+UND\s+([^\s@]+)/),
    versions: [...readelf('--version-info', path).matchAll(/Name: ([A-Z]+)_([\d.]+)/g)].map(([, family, version]) => [
      family,
      version.split('.').map(Number),
    ]),
    hasSymbolTable: /\s\.symtab\s/.test(readelf('--sections', path)),
  };
}

/** The symbols that a program requires; it has room for some itself, into which those of others are copied. */
export function importsOf(path) {
  const asked = namesOf(readelf('--dyn-syms', path), /\bGLOBAL\s+DEFAULT\s+UND\s+([^\s@]+)/);
  const copied = namesOf(readelf('--relocs', path), /_COPY\s+\w+\s+([^\s@]+)/);
  return [...asked, ...copied];
}

function namesOf(symbols, line) {
  return symbols
    .split('\n')
    .map((text) => line.exec(text)?.[1])
    .filter((name) => name !== undefined)
    .sort();
}

function readelf(option, path) {
  const { status, stdout, stderr } = spawnSync('readelf', ['--wide', option, path], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`readelf ${option} ${path} failed: ${stderr}`);
  return stdout;
}
