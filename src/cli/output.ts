/**
 * What a command prints, and to whom: to a person at a terminal in colours and within its width, or to a program in plain
 * text without a limit of width.
 */
import { styleText } from 'node:util';
import { stringWidth, withoutColours } from './width.js';

type Format = Parameters<typeof styleText>[0];

/** The width of a terminal that does not tell it. */
const WIDTH_DEFAULT = 80;

export interface OutputOptions {
  /** Whether the result is JSON. */
  readonly json: boolean;
  /** `false`: without colours. Otherwise the environment and the terminal decide. */
  readonly color: boolean;
}

/** The standard output of a command. Progress and errors go to standard error. */
export class Output {
  /** Whether the result is JSON. */
  readonly json: boolean;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  readonly #colours: boolean;

  readonly #stream: NodeJS.WriteStream;

  /** @param stream standard output, or standard error for what is beside the result */
  constructor({ json, color }: OutputOptions, stream = process.stdout as NodeJS.WriteStream) {
    this.#stream = stream;
    this.json = json;
    this.isTerminal = stream.isTTY === true;
    this.#colours = color && !json && hasColours(stream);
  }

  /** The number of columns, which lines are fitted into; `Infinity` if standard output is not a terminal. */
  get width(): number {
    if (!this.isTerminal) return Number.POSITIVE_INFINITY;
    return this.#stream.columns || Number(process.env.COLUMNS) || WIDTH_DEFAULT;
  }

  /** The text in a colour or another format, if there are colours. */
  paint(format: Format, text: string): string {
    return this.#colours && text !== '' ? styled(format, text) : text;
  }

  /** Prints a line. */
  line(text = ''): void {
    this.#stream.write(`${text}\n`);
  }

  /** Prints many lines at once. */
  lines(texts: readonly string[]): void {
    if (texts.length > 0) this.#stream.write(`${texts.join('\n')}\n`);
  }

  /** The text, cut to a number of columns, with `…` in place of the rest. What is cut has no colours. */
  cut(text: string, columns: number): string {
    if (stringWidth(text) <= columns) return text;
    let width = 0;
    let kept = '';
    for (const character of withoutColours(text)) {
      width += stringWidth(character);
      if (width > columns - 1) break;
      kept += character;
    }
    return `${kept}…`;
  }
}

/** The text in a format, whatever the stream is. */
export function styled(format: Format, text: string): string {
  return styleText(format, text, { validateStream: false });
}

/** Whether a stream gets colours: `NO_COLOR` and `FORCE_COLOR` decide first, as in Node.js. */
export function hasColours(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  return stream.isTTY === true && TERM !== 'dumb';
}
