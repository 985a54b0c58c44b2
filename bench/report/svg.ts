/** The little of SVG that the charts are made of. Colours follow the reader's choice of light or dark. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A whole picture of this size. */
export function picture(width: number, height: number, title: string, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 13px; }
  .end { text-anchor: end; }
  .middle { text-anchor: middle; }
  .faint { fill: #57606a; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .ours { fill: #0969da; }
  .c { fill: #57606a; }
  .other { fill: #afb8c1; }
  .line { fill: none; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .faint { fill: #8d96a0; }
    .grid { stroke: #30363d; }
    .ours { fill: #4493f8; }
    .c { fill: #9198a1; }
    .other { fill: #484f58; }
  }
</style>
${content.join('\n')}
</svg>
`;
}

export function text({ x, y }: Point, content: string, className = ''): string {
  return `<text x="${x}" y="${y}" class="${className}">${escaped(content)}</text>`;
}

export function bar({ x, y }: Point, width: number, height: number, className: string): string {
  return `<rect x="${x}" y="${y}" width="${round(Math.max(width, 1))}" height="${height}" rx="2" class="${className}"/>`;
}

export function line(from: Point, to: Point, className: string): string {
  return `<line x1="${round(from.x)}" y1="${round(from.y)}" x2="${round(to.x)}" y2="${round(to.y)}" class="${className}"/>`;
}

export function curve(points: readonly Point[], colour: string): string {
  const path = points.map(({ x, y }) => `${round(x)},${round(y)}`).join(' ');
  const dots = points.map(({ x, y }) => `<circle cx="${round(x)}" cy="${round(y)}" r="3" fill="${colour}"/>`);
  return [`<polyline points="${path}" class="line" stroke="${colour}"/>`, ...dots].join('');
}

/** A curve of so many points that each of them needs no mark. */
export function track(points: readonly Point[], colour: string): string {
  const path = points.map(({ x, y }) => `${round(x)},${round(y)}`).join(' ');
  return `<polyline points="${path}" class="line" stroke="${colour}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
