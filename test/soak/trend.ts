/**
 * Whether a series of samples is flat. Samples of a process are no clean noise: a few are far off, and where memory is
 * given back there are steps. So the slope is the median of the slopes between any two samples (Theil and Sen), and how
 * sure that is comes from their ranks, whatever the noise is like.
 *
 * @see P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968
 */

export interface Trend {
  /** Change a second. */
  readonly slope: number;
  /** It is between these, but for one time in twenty. */
  readonly least: number;
  readonly most: number;
}

/** Standard deviations of what is not seen one time in twenty. */
const DEVIATIONS = 1.96;

/** The trend of all points; `seconds` and `values` are of one length. */
export function trendOf(seconds: readonly number[], values: readonly number[]): Trend {
  const slopes = slopesBetween(seconds, values).sort();
  const count = seconds.length;
  const deviation = Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  const below = Math.floor((slopes.length - DEVIATIONS * deviation) / 2) - 1;
  // Of a few points nothing can be said.
  const { [below]: least = Number.NEGATIVE_INFINITY } = slopes;
  const { [slopes.length - 1 - below]: most = Number.POSITIVE_INFINITY } = slopes;
  return { slope: median(slopes), least, most };
}

/** What a trend adds up to in some seconds. */
export function growthIn(seconds: number, { slope, least, most }: Trend): Trend {
  return { slope: slope * seconds, least: least * seconds, most: most * seconds };
}

/**
 * How growth compares with a limit. Noise helps nobody: what may be above the limit for all that can be told is not
 * `within` it.
 */
export function judged({ least, most }: Trend, limit: number): 'within' | 'beyond' | 'unclear' {
  if (most <= limit) return 'within';
  return least > limit ? 'beyond' : 'unclear';
}

/** The value in the middle of sorted ones, which a few that are far off do not move. */
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
