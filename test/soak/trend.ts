/**
 * Whether a series of samples is flat. Samples of a process are not plain noise: there are outliers, and steps where memory
 * is released. So the slope is the median of the slopes between any two samples (Theil and Sen), and its confidence comes
 * from their ranks, whatever the distribution of the noise.
 *
 * @see P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968
 */

export interface Trend {
  /** Change a second. */
  readonly slope: number;
  /** The slope is between these, with a probability of 95 %. */
  readonly least: number;
  readonly most: number;
}

/** Standard deviations that are exceeded one time in twenty. */
const DEVIATIONS = 1.96;

/** The trend of all points; `seconds` and `values` are of one length. */
export function trendOf(seconds: readonly number[], values: readonly number[]): Trend {
  const slopes = slopesBetween(seconds, values).sort();
  const count = seconds.length;
  const deviation = Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  const below = Math.floor((slopes.length - DEVIATIONS * deviation) / 2) - 1;
  // A few points determine nothing.
  const { [below]: least = Number.NEGATIVE_INFINITY } = slopes;
  const { [slopes.length - 1 - below]: most = Number.POSITIVE_INFINITY } = slopes;
  return { slope: median(slopes), least, most };
}

/** The change by a trend in some seconds. */
export function growthIn(seconds: number, { slope, least, most }: Trend): Trend {
  return { slope: slope * seconds, least: least * seconds, most: most * seconds };
}

/**
 * How growth compares with a limit. Noise does not hide growth: a quantity that may exceed the limit is not `within` it.
 */
export function judged({ least, most }: Trend, limit: number): 'within' | 'beyond' | 'unclear' {
  if (most <= limit) return 'within';
  return least > limit ? 'beyond' : 'unclear';
}

/** The median of sorted values, which outliers do not move. */
export function median(sorted: ArrayLike<number>): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function slopesBetween(seconds: readonly number[], values: readonly number[]): Float64Array {
  const slopes = new Float64Array((seconds.length * (seconds.length - 1)) / 2);
  let next = 0;
  for (let i = 0; i < seconds.length; i++) {
    for (let j = i + 1; j < seconds.length; j++) {
      const [rise, run] = [
        (values[j] as number) - (values[i] as number),
        (seconds[j] as number) - (seconds[i] as number),
      ];
      slopes[next++] = rise / run;
    }
  }
  return slopes;
}
