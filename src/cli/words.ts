/** Words of the user and of peers in messages. */
import { nearestName } from '../base/nearest-name.js';
import { printable } from '../base/printable.js';

const QUOTED_MAXIMUM = 100;
const LISTED_MAXIMUM = 8;

/** A text in quotation marks, on one line and not too long. */
export function quoted(text: string): string {
  const json = printable(JSON.stringify(text.slice(0, QUOTED_MAXIMUM)));
  return text.length > QUOTED_MAXIMUM ? `${json.slice(0, -1)}…"` : json;
}

/** A hint for a name that does not exist: the one that was probably meant, or the first of those that exist. */
export function nameHint(wanted: string, names: Iterable<string>): string {
  const all = Array.from(names, printable);
  const nearest = nearestName(wanted, all);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  const more = all.length > LISTED_MAXIMUM ? `, and ${all.length - LISTED_MAXIMUM} more` : '';
  return all.length === 0 ? '' : `known: ${all.slice(0, LISTED_MAXIMUM).join(', ')}${more}`;
}

/** A text with its hints on further lines. */
export function withHints(text: string, ...hints: readonly string[]): string {
  return [text, ...hints.filter((hint) => hint !== '')].join('\n');
}
