/** Draws what a program printed in a terminal as SVG: text with the colours of the escape sequences. */

const COLUMN = 7.8;
const LINE = 17;
const MARGIN = 12;
const COLOURS = { 31: '#f47067', 32: '#8ddb8c', 33: '#f0c674', 34: '#6cb6ff', 35: '#dcbdfb', 36: '#76e3ea' };
const FOREGROUND = '#d3d9e0';
const DIM = '#8b95a1';

/** @param columns the width of the terminal */
export function terminalPicture(text, columns) {
  const lines = text.replaceAll('\r', '').trimEnd().split('\n');
  const [width, height] = [Math.ceil(columns * COLUMN + 2 * MARGIN), lines.length * LINE + 2 * MARGIN];
  const state = { bold: false, dim: false, colour: undefined };
  const rows = lines.map((line, index) => {
    const y = MARGIN + index * LINE + 12;
    return `<text x="${MARGIN}" y="${y}">${spansOf(line, state)}</text>`;
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escaped((lines[0] ?? '').replace(/^\$ /, ''))}</title>`,
    `<rect width="100%" height="100%" rx="6" fill="#22272e"/>`,
    `<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13" fill="${FOREGROUND}" xml:space="preserve">`,
    ...rows,
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these sequences are the colours of text
const FORMAT = /(\u001b\[[\d;]*m)/;

/** The parts of a line between escape sequences, each at its column. */
function spansOf(line, state) {
  let column = 0;
  return line
    .split(FORMAT)
    .map((part) => {
      const codes = FORMAT.test(part) ? part.slice(2, -1) : undefined;
      if (codes !== undefined) {
        for (const code of codes.split(';')) apply(Number(code), state);
        return '';
      }
      if (part === '') return '';
      const x = (MARGIN + column * COLUMN).toFixed(1);
      column += [...part].length;
      const length = ([...part].length * COLUMN).toFixed(1);
      return `<tspan x="${x}" textLength="${length}"${styleOf(state)}>${escaped(part)}</tspan>`;
    })
    .join('');
}

function apply(code, state) {
  if (code === 0) Object.assign(state, { bold: false, dim: false, colour: undefined });
  else if (code === 1) state.bold = true;
  else if (code === 2) state.dim = true;
  else if (code === 22) Object.assign(state, { bold: false, dim: false });
  else if (code === 39) state.colour = undefined;
  else if (code in COLOURS) state.colour = COLOURS[code];
}

function styleOf({ bold, dim, colour }) {
  const fill = colour ?? (dim ? DIM : undefined);
  return `${fill === undefined ? '' : ` fill="${fill}"`}${dim && colour ? ' opacity="0.7"' : ''}${bold ? ' font-weight="bold"' : ''}`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
