/** The chart of the README: how many calls a client gets through, and what each takes of its processor. */
import { reference } from '../peers.js';
import { lookUp, type Results } from '../results.js';
import { type Bar, chartOf, classOf, type Panel } from './bar-chart.js';
import { formatted } from './numbers.js';

/** The calls that the chart is about. */
const WORKLOAD = 'calls-100';

/** busbar as it is by default, the other libraries in JavaScript, and C to measure them by. */
export function callsChart(results: Results): string {
  const perSecond = panelOf(results, 'Calls each second, 100 at a time (more is better)', 'wall', (microseconds) => {
    const value = 1e6 / microseconds;
    return { value, shown: (Math.round(value / 100) * 100).toLocaleString('en').replaceAll(',', ' ') };
  });
  const cpu = panelOf(results, 'CPU time of a call in the client (less is better)', 'cpu', (value) => ({
    value,
    shown: formatted('cpu', value),
  }));
  return chartOf('Calls each second, and the CPU time of a call', [perSecond, cpu]);
}

/** In the order of the CPU time, in both panels: a library stands in one row. */
function panelOf(
  results: Results,
  title: string,
  quantity: 'wall' | 'cpu',
  shape: (microseconds: number) => Pick<Bar, 'value' | 'shown'>,
): Panel {
  const order = (id: string) => lookUp(results, WORKLOAD, id, 'cpu') ?? Number.POSITIVE_INFINITY;
  const bars = results.peers
    .filter(
      ({ id, language }) =>
        id === 'busbar-socket' || id === reference || (language === 'JavaScript' && !id.startsWith('busbar')),
    )
    .toSorted((a, b) => order(a.id) - order(b.id))
    .flatMap(({ id, title: label }) => {
      const microseconds = lookUp(results, WORKLOAD, id, quantity);
      if (microseconds === undefined) return [];
      return [{ label: id === 'busbar-socket' ? 'busbar' : label, className: classOf(id), ...shape(microseconds) }];
    });
  return { title, bars };
}
