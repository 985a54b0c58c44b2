/** What came of all corpora: sums by reader, and by reader and corpus. */
import { type Disagreement, type Tally, unmetDifferences } from '../../test/differential/comparison.js';
import type { CorpusResult } from '../../test/differential/differential.js';

/** How often a reader agreed with busbar. */
export interface Counts {
  messages: number;
  agreed: number;
  /** Ended the process that read them, or had to be given up. */
  died: number;
  /** How often each listed difference was met. */
  readonly deliberate: Record<string, number>;
  unexpected: number;
}

export class Totals {
  readonly unexpected: Disagreement[] = [];
  /** Listed differences that no corpus met. */
  get unmet(): readonly string[] {
    return unmetDifferences(this.#tallies);
  }
  readonly #tallies: Tally[] = [];
  readonly #byReader = new Map<string, Counts>();
  readonly #byCorpus = new Map<string, Map<string, Counts>>();
  readonly #sizes = new Map<string, number>();

  add({ corpus, tallies }: CorpusResult): void {
    this.#sizes.set(corpus.name, (this.#sizes.get(corpus.name) ?? 0) + corpus.messages.length);
    const readers = this.#byCorpus.get(corpus.name) ?? new Map<string, Counts>();
    this.#byCorpus.set(corpus.name, readers);
    for (const tally of tallies) {
      this.unexpected.push(...tally.unexpected);
      addTo(this.#byReader, tally);
      addTo(readers, tally);
      this.#tallies.push(withoutMessages(tally));
    }
  }

  get byReader(): ReadonlyMap<string, Counts> {
    return this.#byReader;
  }

  /** Messages by corpus, with the counts of every reader. */
  get byCorpus(): ReadonlyMap<string, { readonly messages: number; readonly readers: ReadonlyMap<string, Counts> }> {
    const entries = [...this.#byCorpus].map(([name, readers]) => {
      return [name, { messages: this.#sizes.get(name) ?? 0, readers }] as const;
    });
    return new Map(entries);
  }
}

/** The messages of long runs would not fit into memory. */
function withoutMessages(tally: Tally): Tally {
  tally.unexpected.length = 0;
  return tally;
}

function addTo(counts: Map<string, Counts>, tally: Tally): void {
  const sum = counts.get(tally.reader) ?? { messages: 0, agreed: 0, died: 0, deliberate: {}, unexpected: 0 };
  counts.set(tally.reader, sum);
  sum.messages += tally.messages;
  sum.agreed += tally.agreed;
  sum.died += tally.died;
  sum.unexpected += tally.unexpected.length;
  for (const [{ id }, count] of tally.deliberate) sum.deliberate[id] = (sum.deliberate[id] ?? 0) + count;
}
