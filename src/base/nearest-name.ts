/** Finds the name that was probably meant, for errors that can list the existing names. */
import { printable } from './printable.js';

/**
 * The longest name that is compared; no D-Bus name is longer. Comparing takes time in proportion to the length, and a
 * peer may have chosen the text.
 */
const LENGTH_MAXIMUM = 255;

/** The name with the smallest edit distance, ignoring case, if the distance is small enough for a typing error. */
export function nearestName(wanted: string, names: Iterable<string>): string | undefined {
  if (wanted.length > LENGTH_MAXIMUM) return undefined;
  let nearest: string | undefined;
  let least = Math.max(1, Math.round(wanted.length * 0.4)) + 1;
  for (const name of names) {
    const distance = editDistance(wanted.toLowerCase(), name.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

/**
 * `; did you mean X? Known: X, Y`, or an empty string if there are no names. Names of properties may contain any
 * character.
 */
export function suggestion(wanted: string, names: Iterable<string>): string {
  const all = Array.from(names, printable);
  if (all.length === 0) return '';
  const nearest = nearestName(wanted, all);
  const listed = all.slice(0, 12).join(', ') + (all.length > 12 ? `, and ${all.length - 12} more` : '');
  return nearest === undefined ? `; known: ${listed}` : `; did you mean ${nearest}? Known: ${listed}`;
}

/** The Levenshtein distance, computed row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
