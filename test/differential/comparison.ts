/**
 * Compares two readings of the same message, and looks up a disagreement in the list of deliberate differences. Any other
 * disagreement is a fault of one of the readers.
 */
import { MessageType } from '../../src/index.js';
import type { CorpusMessage } from './corpus.js';
import { type Difference, differences } from './differences.js';
import { otherReaders } from './readers/index.js';
import { isSound, type Part, parts, type Reading } from './reading.js';
import { normalText, type TypedText } from './typed-text.js';

/** `accepts` what busbar refuses, `refuses` what busbar accepts, another outcome, or a part that is read differently. */
export type What = 'accepts' | 'refuses' | 'outcome' | Part;

/** Two readings of a message that differ in one respect. */
export interface Disagreement {
  readonly reader: string;
  readonly message: CorpusMessage;
  /** The verdict of busbar's own check of the message, with the rule that it breaks. */
  readonly check: Reading;
  readonly ours: Reading;
  readonly theirs: Reading;
  readonly what: What;
}

/**
 * How the reading of another implementation differs. Its words for faults differ, so only the verdict is compared, and for
 * valid messages everything that both readers report.
 */
export function differencesToOthers(check: Reading, ours: Reading, theirs: Reading): What[] {
  if (isSound(check) !== isSound(theirs)) return [isSound(theirs) ? 'accepts' : 'refuses'];
  return isSound(check) ? differentParts(ours, theirs) : [];
}

/** How the readings of users of two transports differ. */
export function differencesOfTransports(ours: Reading, theirs: Reading): What[] {
  return ours.outcome === theirs.outcome ? differentParts(ours, theirs) : ['outcome'];
}

/** How values differ from those that were written, whatever the verdict on the rest of the message. */
export function differencesOfValues(ours: Reading, again: Reading): What[] {
  if (!isSound(again)) return ['refuses'];
  return differentParts(ours, again).filter((part) => part === 'signature' || part === 'body');
}

/** How the socket transport differs from the check of whole messages, which has the same rules. */
export function differencesToCheck(message: CorpusMessage, check: Reading, seen: Reading): What[] {
  if (check.outcome === 'closed') return isLostFor(check.because as string, seen) ? [] : ['outcome'];
  if (check.outcome === 'nothing') return seen.outcome === 'nothing' ? [] : ['outcome'];
  const type = message.bytes[1] as number;
  // Unrequested replies and messages of unknown types are not delivered to any user.
  if (seen.outcome === 'nothing')
    return type === MessageType.MethodCall || type === MessageType.Signal ? ['outcome'] : [];
  if (isSound(check)) return isSound(seen) ? [] : ['refuses'];
  return seen.outcome === check.outcome ? [] : ['outcome'];
}

function isLostFor(rule: string, { outcome, because }: Reading): boolean {
  return outcome === 'closed' && because?.includes(`: ${rule} (byte `) === true;
}

function differentParts(ours: Reading, theirs: Reading): Part[] {
  return parts.filter((part) => {
    const [one, other] = [ours[part], theirs[part]];
    return one !== undefined && other !== undefined && textOf(part, one) !== textOf(part, other);
  });
}

function textOf(part: Part, value: unknown): string {
  return JSON.stringify(part === 'body' ? (value as readonly TypedText[]).map(normalText) : value);
}

/** Counts how often readers agreed, and how often they did not, by difference. */
export class Tally {
  readonly reader: string;
  messages = 0;
  agreed = 0;
  /** Messages that ended the process that read them. */
  died = 0;
  readonly deliberate = new Map<Difference, number>();
  readonly unexpected: Disagreement[] = [];

  constructor(reader: string) {
    this.reader = reader;
  }

  /** Records in which respects a message is read differently. */
  add(whats: readonly What[], found: Omit<Disagreement, 'what' | 'reader'>): void {
    this.messages++;
    if (found.theirs.outcome === 'died') this.died++;
    if (whats.length === 0) this.agreed++;
    for (const what of whats) {
      const disagreement = { ...found, what, reader: this.reader };
      const known = differences.find(({ readers, applies }) => readers.includes(this.reader) && applies(disagreement));
      if (known === undefined) this.unexpected.push(disagreement);
      else this.deliberate.set(known, (this.deliberate.get(known) ?? 0) + 1);
    }
  }
}

/** The entries of the list that name one of these readers and did not occur, whatever it read. */
export function unmetDifferences(tallies: readonly Tally[]): string[] {
  const readers = new Set(tallies.map(({ reader }) => reader));
  return [...readers].flatMap((reader) => {
    const own = tallies.filter((tally) => tally.reader === reader);
    const expected = differences.filter(
      (entry) => entry.readers.includes(reader) && isOfVersion(reader, entry.version),
    );
    const unmet = expected.filter((entry) => !own.some((tally) => tally.deliberate.has(entry)));
    return unmet.map(({ id }) => `${reader}: ${id}`);
  });
}

function isOfVersion(reader: string, wanted = ''): boolean {
  const library = otherReaders.find(({ name }) => reader.includes(name));
  return wanted === '' || library?.version()?.startsWith(wanted) === true;
}

/** A disagreement as text, with everything that is needed to examine it. */
export function describeDisagreement({ reader, message, check, ours, theirs, what }: Disagreement): string {
  const shown = (reading: Reading) => JSON.stringify(reading).slice(0, 400);
  return [
    `${reader} ${what}: ${message.name}`,
    `  the check   ${check.outcome}: ${check.because}`,
    `  ours        ${shown(ours)}`,
    `  theirs      ${shown(theirs)}`,
    `  ${message.bytes.toString('hex').slice(0, 600)}`,
  ].join('\n');
}
