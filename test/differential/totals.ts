/** The results of all corpora: sums by reader, and by corpus. */
import { type Disagreement, type Tally, unmetDifferences } from './comparison.js';
import type { CorpusResult } from './differential.js';

/** How often a reader agreed with busbar. */
export interface Counts {
  messages: number;
  agreed: number;
  /** Ended the process that read them, or was abandoned. */
  died: number;
  /** How often each listed difference occurred. */
  readonly deliberate: Record<string, number>;
  unexpected: number;
}

export class Totals {
  readonly unexpected: Disagreement[] = [];
  readonly byReader = new Map<string, Counts>();
  /** The different messages of a corpus, and the counts of all readers together. */
  readonly byCorpus = new Map<string, { messages: number; readonly all: Counts }>();
  readonly #tallies: Tally[] = [];

  /** Listed differences that occurred in no corpus. */
  get unmet(): readonly string[] {
    return unmetDifferences(this.#tallies);
  }

  add({ corpus, tallies }: CorpusResult): void {
    const ofCorpus = this.byCorpus.get(corpus.name) ?? { messages: 0, all: noCounts() };
    this.byCorpus.set(corpus.name, ofCorpus);
    ofCorpus.messages += corpus.messages.length;
    for (const tally of tallies) {
      const ofReader = this.byReader.get(tally.reader) ?? noCounts();
      this.byReader.set(tally.reader, ofReader);
      for (const counts of [ofReader, ofCorpus.all]) addTo(counts, tally);
      this.unexpected.push(...tally.unexpected);
      // The messages of long runs would not fit into memory.
      tally.unexpected.length = 0;
      this.#tallies.push(tally);
    }
  }
}

const noCounts = (): Counts => ({ messages: 0, agreed: 0, died: 0, deliberate: {}, unexpected: 0 });

function addTo(counts: Counts, tally: Tally): void {
  counts.messages += tally.messages;
  counts.agreed += tally.agreed;
  counts.died += tally.died;
  counts.unexpected += tally.unexpected.length;
  for (const [{ id }, count] of tally.deliberate) counts.deliberate[id] = (counts.deliberate[id] ?? 0) + count;
}
