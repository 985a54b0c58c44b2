/** Bars in panels, two beside each other; and such a chart of the CPU time of every peer, one panel a workload. */
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

export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** What stands behind the bar. */
  readonly shown: string;
  readonly className: string;
}

/** The CPU time of every peer in some workloads: shorter is better. */
export function barChart(title: string, results: readonly WorkloadResults[], peers: readonly MeasuredPeer[]): string {
  return chartOf(
    title,
    results.map((one) => panelOf(one, peers)).filter(({ bars }) => bars.length > 0),
  );
}

/** A picture of panels. */
export function chartOf(title: string, panels: readonly Panel[]): string {
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

function panelOf({ workload, cells }: WorkloadResults, peers: readonly MeasuredPeer[]): Panel {
  const bars = peers
    .flatMap(({ id, title }) => {
      const value = quantityOf(cells[id], 'cpu');
      return value === undefined
        ? []
        : [{ label: title, value, shown: formatted('cpu', value), className: classOf(id) }];
    })
    .sort((a, b) => a.value - b.value);
  return { title: workload.title, bars };
}

export function classOf(id: string): string {
  if (id.startsWith('busbar')) return 'ours';
  return id === reference ? 'c' : 'other';
}

function draw({ title, bars }: Panel, left: number, top: number, width: number): readonly string[] {
  const longest = Math.max(...bars.map(({ value }) => value));
  const room = width - LABEL - VALUE;
  return [
    text({ x: left, y: top + 18 }, title, 'title'),
    ...bars.flatMap(({ label, value, shown, className }, index) => {
      const y = top + HEAD + index * ROW;
      const length = (value / longest) * room;
      return [
        text({ x: left + LABEL - 8, y: y + 11 }, label, 'end'),
        bar({ x: left + LABEL, y: y + 1 }, length, ROW - 5, className),
        text({ x: Math.round(left + LABEL + length + 6), y: y + 11 }, shown, 'faint'),
      ];
    }),
  ];
}
