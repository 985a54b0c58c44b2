/** The time limit of a test file: 120 s, or that of a comment among its first lines: `// time limit: 180 s`. */
import { readFileSync } from 'node:fs';

const DEFAULT_SECONDS = 120;

export function timeLimitOf(file) {
  const firstLines = readFileSync(file, 'utf8').slice(0, 2000);
  const match = /time limit: (\d+) s\b/.exec(firstLines);
  return match === null ? DEFAULT_SECONDS : Number(match[1]);
}
