/** The line below the messages of a terminal, with the rates of the last moment. It is rewritten in place. */
import { stringWidth } from '../width.js';
import { sizeText, type TrafficCounts } from './traffic-counts.js';

const PERIOD = 500;
const CLEAR = '\r\u001b[K';

export class StatusLine {
  readonly #counts: TrafficCounts;
  readonly #stream: NodeJS.WriteStream;
  readonly #timer: NodeJS.Timeout | undefined;
  #last = { messages: 0, bytes: 0, at: performance.now() };
  #text = '';

  /** @param stream gets it if it is a terminal */
  constructor(counts: TrafficCounts, stream: NodeJS.WriteStream) {
    this.#counts = counts;
    this.#stream = stream;
    if (stream.isTTY !== true || process.env.TERM === 'dumb') return;
    this.#timer = setInterval(() => this.#update(), PERIOD);
    this.#timer.unref();
  }

  /** Makes room for other lines. */
  clear(): void {
    if (this.#text !== '') this.#stream.write(CLEAR);
    this.#text = '';
  }

  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #update(): void {
    const { messages, bytes, errors } = this.#counts;
    const at = performance.now();
    const seconds = (at - this.#last.at) / 1000;
    const rate = Math.round((messages - this.#last.messages) / seconds);
    const speed = sizeText((bytes - this.#last.bytes) / seconds);
    this.#last = { messages, bytes, at };
    const text = `${messages} messages, ${errors} errors; now ${rate} and ${speed} a second. Ctrl+C ends`;
    if (stringWidth(text) >= (this.#stream.columns || 80)) return;
    this.#stream.write(`${CLEAR}${text}`);
    this.#text = text;
  }
}
