/** A line on standard error that shows, to a person, that a long command works. */
import { hasColours, styled } from './output.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Milliseconds between two pictures, and before the first: what takes less time needs no line. */
const INTERVAL = 100;

export class Progress {
  #text: string;
  #frame = 0;
  #isShown = false;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(text: string) {
    this.#text = text;
    // Escape sequences and part of a line are of no use in a file.
    if (process.stderr.isTTY === true && process.stdout.isTTY === true) {
      this.#timer = setInterval(() => this.#show(), INTERVAL);
    }
  }

  /** Changes the text, which is shown at the next picture. */
  update(text: string): void {
    this.#text = text;
  }

  /** Removes the line. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#isShown) process.stderr.write('\r\u001b[K');
    this.#isShown = false;
  }

  #show(): void {
    const frame = FRAMES[this.#frame++ % FRAMES.length] as string;
    const picture = hasColours(process.stderr) ? styled('cyan', frame) : frame;
    const room = (process.stderr.columns || 80) - 3;
    process.stderr.write(`\r\u001b[K${picture} ${this.#text.slice(0, room)}`);
    this.#isShown = true;
  }
}
