/** CPU time of every peer, one panel a workload: shorter is better. */
import { reference } from '../peers.js';
import { quantityOf } from '../quantities.js';
import type { MeasuredPeer, WorkloadResults } from '../results.js';
import { formatted } from './numbers.js';
import { bar, picture, text } from './svg.js';

const WIDTH = 960;
const COLUMNS = 2;
const ROW = 18;
const LABEL = 190;
const VALUE = 70;
const HEAD = 34;
const GAP = 20;

/** The panels of some workloads, two beside each other. */
export function barChart(title: string, results: readonly WorkloadResults[], peers: readonly MeasuredPeer[]): string {
  const panels = results.map((one) => panelOf(one, peers)).filter(({ bars }) => bars.length > 0);
  const width = (WIDTH - GAP * (COLUMNS - 1)) / COLUMNS;
  const content: string[] = [];
  let top = 0;
  for (let first = 0; first < panels.length; first += COLUMNS) {
    const row = panels.slice(first, first + COLUMNS);
    for (const [column, panel] of row.entries()) content.push(...draw(panel, column * (width + GAP), top, width));
    top += HEAD + GAP + ROW * Math.max(...row.map(({ bars }) => bars.length));
  }
  return picture(WIDTH, top, title, content);
}

interface Panel {
  readonly title: string;
  readonly bars: readonly { readonly label: string; readonly value: number; readonly className: string }[];
}

function panelOf({ workload, cells }: WorkloadResults, peers: readonly MeasuredPeer[]): Panel {
  const bars = peers
    .map(({ id, title }) => ({
      label: title,
      value: quantityOf(cells[id], 'cpu') ?? Number.NaN,
      className: classOf(id),
    }))
    .filter(({ value }) => !Number.isNaN(value))
    .sort((a, b) => a.value - b.value);
  return { title: workload.title, bars };
}

function classOf(id: string): string {
  if (id.startsWith('busbar')) return 'ours';
  return id === reference ? 'c' : 'other';
}

function draw({ title, bars }: Panel, left: number, top: number, width: number): readonly string[] {
  const longest = Math.max(...bars.map(({ value }) => value));
  const room = width - LABEL - VALUE;
  return [
    text({ x: left, y: top + 18 }, title, 'title'),
    ...bars.flatMap(({ label, value, className }, index) => {
      const y = top + HEAD + index * ROW;
      const length = (value / longest) * room;
      return [
        text({ x: left + LABEL - 8, y: y + 11 }, label, 'end'),
        bar({ x: left + LABEL, y: y + 1 }, length, ROW - 5, className),
        text({ x: Math.round(left + LABEL + length + 6), y: y + 11 }, formatted('cpu', value), 'faint'),
      ];
    }),
  ];
}
