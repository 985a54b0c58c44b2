/**
 * A pipe of the operating system, for which Node.js has no function: a FIFO whose name is removed when both ends are open.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Owns both ends, as numbers. The bytes are so few that writing never blocks. */
export class Pipe {
  readonly readingEnd: number;
  readonly writingEnd: number;
  #closed = false;

  static open(): Pipe {
    const folder = mkdtempSync(join(tmpdir(), 'busbar-pipe-'));
    try {
      const path = join(folder, 'pipe');
      const { status } = spawnSync('mkfifo', [path]);
      if (status !== 0) throw new Error(`mkfifo ended with ${status}`);
      // Opening one end of a FIFO waits for the other, but not when it is opened for both.
      const both = openSync(path, constants.O_RDWR);
      const pipe = new Pipe(openSync(path, constants.O_RDONLY), openSync(path, constants.O_WRONLY));
      closeSync(both);
      return pipe;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  private constructor(readingEnd: number, writingEnd: number) {
    this.readingEnd = readingEnd;
    this.writingEnd = writingEnd;
  }

  /** Writes the whole content of the pipe. */
  write(text: string): void {
    writeSync(this.writingEnd, text);
    this.close();
  }

  /** Everything that other processes wrote, which must have closed their ends. */
  readAll(): string {
    closeSync(this.writingEnd);
    this.#closed = true;
    const text = readFileSync(this.readingEnd, 'utf8');
    closeSync(this.readingEnd);
    return text;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.readingEnd);
    closeSync(this.writingEnd);
  }
}
