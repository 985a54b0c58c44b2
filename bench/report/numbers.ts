/** Numbers as people read them: three significant digits, and a unit that keeps them short. */
import { type Quantity, quantities, type Unit } from '../quantities.js';

const formats: Readonly<Record<Unit, (value: number) => string>> = {
  microseconds: (value) => scaled(value, 1000, ['µs', 'ms', 's']),
  milliseconds: (value) => `${shortNumber(value)} ms`,
  bytes: (value) => scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB']),
  count: (value) => shortNumber(value),
};

/** A value of a quantity with its unit; a dash where there is none. */
export function formatted(quantity: Quantity, value: number | undefined): string {
  return value === undefined ? '–' : formats[quantities[quantity].unit](value);
}

/** A ratio; a dash where there is nothing to compare with. */
export function factor(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(2);
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let unit = 0;
  let number = value;
  for (; Math.abs(number) >= step && unit < units.length - 1; unit++) number /= step;
  return `${shortNumber(number)} ${units[unit]}`;
}

/** Three significant digits, and no exponents. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 100) return value.toFixed(0);
  return size >= 1 ? value.toPrecision(3) : value.toFixed(size >= 0.1 ? 2 : 3);
}
