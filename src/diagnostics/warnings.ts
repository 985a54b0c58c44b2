/**
 * Process warnings that peers can cause: any peer that may call a method can make it fail. So each kind of warning has
 * a rate: the first ones of an interval are shown in full, and the others are counted.
 */

/** The number of warnings of a kind that are shown in an interval. */
const SHOWN_MAXIMUM = 10;
const INTERVAL_SECONDS = 10;

interface Interval {
  warnings: number;
}

/** The current interval, by the code of the warning. */
const intervals = new Map<string, Interval>();

/** Emits a warning, or only counts it. `message` and `detail`, which may be empty, must be printable. */
export function warnAtRate(code: string, message: string, detail: string): void {
  if (isWithinRate(code)) process.emitWarning(message, detail === '' ? { code } : { code, detail });
}

/** Counts a warning of this kind, and returns whether to show it. */
export function isWithinRate(code: string): boolean {
  const interval = intervals.get(code) ?? begin(code);
  interval.warnings++;
  return interval.warnings <= SHOWN_MAXIMUM;
}

function begin(code: string): Interval {
  const interval = { warnings: 0 };
  intervals.set(code, interval);
  setTimeout(() => end(code, interval), INTERVAL_SECONDS * 1000).unref();
  return interval;
}

function end(code: string, { warnings }: Interval): void {
  intervals.delete(code);
  const hidden = warnings - SHOWN_MAXIMUM;
  if (hidden <= 0) return;
  const text = `${hidden} more warnings of this kind within ${INTERVAL_SECONDS} seconds are not shown`;
  process.emitWarning(text, { code, detail: 'Subscribe to the diagnostics channel "busbar:problem" for all of them.' });
}
