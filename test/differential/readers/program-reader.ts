/**
 * Programs that read messages: one line in for each, one line out. A program that ends before it has answered, or that
 * prints nothing for a long time, has failed on its current message, and is started again for the rest.
 */
import { spawn } from 'node:child_process';
import { onExit } from '../../helpers/exit-cleanup.js';
import type { CorpusMessage } from '../corpus.js';
import type { Reading } from '../reading.js';

/** Milliseconds without a line after which a program counts as hanging. */
const PATIENCE = 5_000;
/** Consecutive starts without a line that are a fault of the program, and not of its input. */
const MOST_FRUITLESS = 5;

/** How a command reads messages. */
export async function readByProgram(
  command: readonly string[],
  messages: readonly CorpusMessage[],
): Promise<readonly Reading[]> {
  const readings: Reading[] = [];
  for (let fruitless = 0; readings.length < messages.length; ) {
    const start = readings.length;
    const because = await readSome(command, messages.slice(start), readings);
    fruitless = readings.length === start ? fruitless + 1 : 0;
    if (fruitless > MOST_FRUITLESS) throw new Error(`${command.join(' ')} reads nothing: ${because}`);
    if (readings.length < messages.length) readings.push({ outcome: 'died', because });
  }
  return readings;
}

/** Adds readings as long as the program runs; returns how it ended. */
function readSome(
  [program, ...args]: readonly string[],
  messages: readonly CorpusMessage[],
  readings: Reading[],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const forget = onExit(() => child.kill('SIGKILL'));
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    let partial = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      timer.refresh();
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) readings.push(JSON.parse(line) as Reading);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    // It may end without reading the rest.
    child.stdin.on('error', () => {});
    child.stdin.end(messages.map(({ bytes }) => `${bytes.toString('hex')}\n`).join(''));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      forget();
      resolve(`${signal ?? `exit code ${code}`} ${complaints.slice(-500)}`);
    });
  });
}
