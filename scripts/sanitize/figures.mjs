/** `docs/reliability/figures/sanitizers.json`: what each part came to when it ran last. */
import { readMeasurement, saveFigures } from '../reliability-report/figures.mjs';

export function writeFigures(part, found) {
  const figures = {
    ...readMeasurement('sanitizers')?.figures,
    [part]: { date: new Date().toISOString().slice(0, 10), ...found },
  };
  saveFigures('sanitizers', 'npm run sanitize', Object.fromEntries(Object.entries(figures).sort()));
}
