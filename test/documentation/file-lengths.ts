/** The limits of CONTRIBUTING.md for the length of a file, and the files that break them. */

export interface Limit {
  /** Folders, as paths from the root of the project. A file belongs to the longest of them that contains it. */
  readonly folders: readonly string[];
  /** A file has fewer lines than this. */
  readonly lines: number;
}

/**
 * All contradictions between the files and their limits, as texts; empty if there are none. An exception without which
 * there would be no contradiction is one, too, so that the list of exceptions can only shrink.
 *
 * @param files the number of lines of each file, by its path
 * @param exceptions why a file is longer, by its path
 */
export function lengthContradictions(
  files: ReadonlyMap<string, number>,
  limits: readonly Limit[],
  exceptions: Readonly<Record<string, string>>,
): readonly string[] {
  const isTooLong = (path: string) => (files.get(path) ?? 0) >= limitOf(path, limits);
  const tooLong = [...files]
    .filter(([path]) => isTooLong(path) && !Object.hasOwn(exceptions, path))
    .map(([path, lines]) => `${path} has ${lines} lines, and must have fewer than ${limitOf(path, limits)}`);
  const unneeded = Object.keys(exceptions)
    .filter((path) => !isTooLong(path))
    .map((path) => `${path} ${files.has(path) ? 'is short enough' : 'does not exist'}: remove the exception`);
  return [...tooLong, ...unneeded];
}

function limitOf(path: string, limits: readonly Limit[]): number {
  const found = limits
    .flatMap(({ folders, lines }) => folders.map((folder) => ({ folder, lines })))
    .filter(({ folder }) => path.startsWith(`${folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length);
  return found[0]?.lines ?? Number.POSITIVE_INFINITY;
}
