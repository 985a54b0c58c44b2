/** A chart for each quantity over the time of the soak: flat is good. */
import { line, type Point, picture, text, track } from '../../bench/report/svg.js';
import { type Quantity, type QuantityName, quantities, type Sample } from './quantities.js';

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 84;
const RIGHT = 16;
const TOP = 36;
const BOTTOM = 32;
const POINTS_MAXIMUM = 400;

export function chartOf(name: QuantityName, samples: readonly Sample[]): string {
  const { title, format }: Quantity = quantities[name];
  const values = samples.map((sample) => sample[name]);
  const length = samples.at(-1)?.seconds ?? 1;
  // From 0, so that noise does not look like growth.
  const highest = Math.max(1, ...values) * 1.15;
  const place = (seconds: number, value: number): Point => ({
    x: LEFT + (seconds / length) * (WIDTH - LEFT - RIGHT),
    y: HEIGHT - BOTTOM - (value / highest) * (HEIGHT - TOP - BOTTOM),
  });
  const axes = [0, 0.5, 1].flatMap((part) => {
    const [from, to] = [place(0, highest * part), place(length, highest * part)];
    return [line(from, to, 'grid'), text({ x: from.x - 8, y: from.y + 4 }, format(highest * part), 'end faint')];
  });
  const times = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const { x, y } = place(length * part, 0);
    return text({ x, y: y + 18 }, duration(length * part), part === 1 ? 'end faint' : 'middle faint');
  });
  const points = thinned(samples).map((sample) => place(sample.seconds, sample[name]));
  return picture(WIDTH, HEIGHT, title, [
    text({ x: LEFT, y: 20 }, title, 'title'),
    ...axes,
    ...times,
    track(points, '#0969da'),
  ]);
}

/** Every so many samples, so that a long soak makes no large picture. */
function thinned(samples: readonly Sample[]): readonly Sample[] {
  const step = Math.ceil(samples.length / POINTS_MAXIMUM);
  return samples.filter((_, index) => index % step === 0);
}

function duration(seconds: number): string {
  return seconds < 120 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
}
