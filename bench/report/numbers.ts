/** Numbers as people read them: three significant digits, and a unit that keeps them short. */

export function microseconds(value: number): string {
  if (value >= 1e6) return `${short(value / 1e6)} s`;
  if (value >= 1e3) return `${short(value / 1e3)} ms`;
  return `${short(value)} µs`;
}

/** A ratio; a dash where there is nothing to compare with. */
export function factor(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(2);
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
