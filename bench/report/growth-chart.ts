/** What a message costs as a program holds more and more: flat is good. */
import { quantityOf } from '../quantities.js';
import type { WorkloadResults } from '../results.js';
import { formatted } from './numbers.js';
import { curve, line, type Point, picture, text } from './svg.js';

const WIDTH = 960;
const HEIGHT = 300;
const LEFT = 60;
const RIGHT = 430;
const TOP = 20;
const BOTTOM = 40;

const colours = ['#0969da', '#bf8700', '#1a7f37', '#8250df', '#cf222e'];

/** One curve a series, of the CPU time of one peer. Sizes grow by powers of ten. */
export function growthChart(title: string, results: readonly WorkloadResults[], peer: string): string {
  const curves = curvesOf(results, peer);
  const points = curves.flatMap((one) => one.points);
  if (points.length === 0) return picture(WIDTH, HEIGHT, title, [text({ x: LEFT, y: TOP }, 'not measured')]);
  const mostDecades = Math.ceil(Math.log10(Math.max(...points.map(({ x }) => x))));
  const highest = Math.ceil(Math.max(...points.map(({ y }) => y)) * 1.2);
  const place = ({ x, y }: Point): Point => ({
    x: LEFT + (Math.log10(x) / mostDecades) * (WIDTH - LEFT - RIGHT),
    y: HEIGHT - BOTTOM - (y / highest) * (HEIGHT - TOP - BOTTOM),
  });
  return picture(WIDTH, HEIGHT, title, [
    ...axes(mostDecades, highest, place),
    ...curves.map(({ points }, index) => curve(points.map(place), colours[index % colours.length])),
    ...curves.map(({ title, points: [first] }, index) => {
      const y = TOP + 14 + index * 22;
      const x = WIDTH - RIGHT + 20;
      return first === undefined
        ? ''
        : curve(
            [
              { x, y: y - 4 },
              { x: x + 18, y: y - 4 },
            ],
            colours[index % colours.length],
          ) + text({ x: x + 28, y }, title);
    }),
  ]);
}

interface Curve {
  readonly title: string;
  readonly points: readonly Point[];
}

function curvesOf(results: readonly WorkloadResults[], peer: string): readonly Curve[] {
  const curves = new Map<string, { title: string; points: Point[] }>();
  for (const { workload, cells } of results) {
    const { growth } = workload;
    const y = quantityOf(cells[peer], 'cpu');
    if (growth === undefined || y === undefined) continue;
    const found = curves.get(growth.series) ?? { title: growth.title, points: [] };
    found.points.push({ x: growth.size, y });
    curves.set(growth.series, found);
  }
  return [...curves.values()];
}

function axes(mostDecades: number, highest: number, place: (point: Point) => Point): readonly string[] {
  const drawn: string[] = [];
  for (let step = 0; step <= 4; step++) {
    const y = (highest * step) / 4;
    const [from, to] = [place({ x: 1, y }), place({ x: 10 ** mostDecades, y })];
    drawn.push(line(from, to, 'grid'), text({ x: from.x - 8, y: from.y + 4 }, formatted('cpu', y), 'end faint'));
  }
  for (let decade = 0; decade <= mostDecades; decade++) {
    const { x, y } = place({ x: 10 ** decade, y: 0 });
    drawn.push(text({ x, y: y + 18 }, (10 ** decade).toLocaleString('en').replaceAll(',', ' '), 'middle faint'));
  }
  return drawn;
}
