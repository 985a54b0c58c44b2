/**
 * Which folders of a tree of source files may import which others, as a table, and the contradictions to it in the tree.
 *
 * A table goes from the top down: a folder imports only folders below its row. If `others` is `'unchecked'`, files of
 * folders without a row may import anything.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { projectRoot } from '../helpers/paths.js';

export interface Layers {
  /** By folder, `.` for the root of the tree: the folders that its files may import. */
  readonly mayImport: Readonly<Record<string, readonly string[]>>;
  readonly others: 'refused' | 'unchecked';
  /** The files of the tree that a file imports, as paths from its root. */
  readonly importsOf: (path: string, text: string) => readonly string[];
}

/** Texts by the path from the root of the tree. */
export type Tree = ReadonlyMap<string, string>;

/** The files of a folder of the project with one of the extensions, except those in some folders. */
export function readTree(root: string, extensions: RegExp, leftOut: readonly string[] = []): Tree {
  const folder = join(projectRoot, root);
  const paths = readdirSync(folder, { recursive: true })
    .map((path) => String(path).split(sep).join('/'))
    .filter((path) => extensions.test(path) && !leftOut.includes(topFolder(path)));
  return new Map(paths.sort().map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** `#include "…"` names a file from the root of the tree; system headers are in angle brackets. */
export function includesOf(_path: string, text: string): readonly string[] {
  return [...text.matchAll(/^\s*#\s*include\s*"(.+)"/gm)].map(([, path]) => path ?? '');
}

/** Relative imports and exports of an ES module, of types as well. */
export function moduleImportsOf(path: string, text: string): readonly string[] {
  const specifiers = text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...specifiers].map(([, specifier]) => posix.join(dirname(path), specifier ?? ''));
}

/** All contradictions between the tree and the table, as texts; empty if there are none. */
export function contradictions(tree: Tree, { mayImport, others, importsOf }: Layers): readonly string[] {
  const order = Object.keys(mayImport);
  const found = order.flatMap((folder) =>
    (mayImport[folder] ?? [])
      .filter((imported) => order.includes(imported) && order.indexOf(imported) <= order.indexOf(folder))
      .map((imported) => `${folder} must not import ${imported}, which does not stand below it`),
  );
  const used = new Set<string>();
  for (const [path, text] of tree) {
    const folder = topFolder(path);
    const allowed = mayImport[folder];
    if (allowed === undefined) {
      if (others === 'refused') found.push(`${path}: the folder has no row in the table`);
      continue;
    }
    for (const imported of importsOf(path, text)) {
      const target = topFolder(imported);
      used.add(`${folder} ${target}`);
      if (target !== folder && !allowed.includes(target)) found.push(`${path} must not import ${imported}`);
    }
  }
  const unused = order.flatMap((folder) =>
    (mayImport[folder] ?? [])
      .filter((imported) => !used.has(`${folder} ${imported}`))
      .map((imported) => `${folder} may import ${imported}, but does not`),
  );
  return [...found, ...unused];
}

/** The files outside some folders whose code matches a pattern; comments and strings do not count. */
export function namedOutside(tree: Tree, folders: readonly string[], pattern: RegExp): readonly string[] {
  return [...tree]
    .filter(([path, text]) => !folders.includes(topFolder(path)) && pattern.test(codeOf(text)))
    .map(([path]) => path);
}

const topFolder = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '.');

/** A C++ file without its comments and strings; a quote after a digit separates thousands. */
const codeOf = (text: string) =>
  text.replace(/"(?:\\.|[^"\\\n])*"|(?<!\d)'(?:\\.|[^'\\\n])*'|\/\/.*|\/\*[\s\S]*?\*\//g, '');
