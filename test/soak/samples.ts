/**
 * The samples so far, in memory of a fixed size outside the heap: samples that grow with the soak would be part of the
 * growth that it looks for.
 */
import { quantityNames, type Sample } from './quantities.js';

const columns = ['seconds', ...quantityNames] as const;

export class Samples {
  readonly #values: Float64Array;
  #count = 0;

  /** @param maximum the largest number of samples */
  constructor(maximum: number) {
    this.#values = new Float64Array(maximum * columns.length);
  }

  add(sample: Sample): void {
    const row = columns.map((column) => sample[column]);
    this.#values.set(row, this.#count++ * columns.length);
  }

  all(): readonly Sample[] {
    return Array.from({ length: this.#count }, (_, row) => this.#sample(row * columns.length));
  }

  #sample(start: number): Sample {
    return Object.fromEntries(columns.map((column, index) => [column, this.#values[start + index]])) as Sample;
  }
}
