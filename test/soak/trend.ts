/** Whether a series of samples is flat: the slope of its second half by least squares, and how sure that is. */

export interface Trend {
  /** Change a second. */
  readonly slope: number;
  /** The standard error of the slope. */
  readonly error: number;
}

/** The slope over all points; `seconds` and `values` are of one length. */
export function trendOf(seconds: readonly number[], values: readonly number[]): Trend {
  const count = seconds.length;
  if (count < 3) throw new RangeError('a trend needs three samples or more');
  const middle = mean(seconds);
  const level = mean(values);
  let spread = 0;
  let shared = 0;
  for (let i = 0; i < count; i++) {
    const x = (seconds[i] as number) - middle;
    spread += x * x;
    shared += x * ((values[i] as number) - level);
  }
  const slope = shared / spread;
  let unexplained = 0;
  for (let i = 0; i < count; i++) {
    const expected = level + slope * ((seconds[i] as number) - middle);
    unexplained += ((values[i] as number) - expected) ** 2;
  }
  return { slope, error: Math.sqrt(unexplained / (count - 2) / spread) };
}

/**
 * Whether what a trend adds up to in some seconds stays below a limit: not if even the slope less twice its error is
 * above, which a flat series has by chance, for its noise, in one of forty runs, and then by little.
 */
export function isWithin({ slope, error }: Trend, seconds: number, limit: number): boolean {
  return (slope - 2 * error) * seconds <= limit;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
