/** How long a test file may take: 120 s, or what a comment among its first lines says: `// time limit: 180 s`. */
import { readFileSync } from 'node:fs';

const DEFAULT_SECONDS = 120;

export function timeLimitOf(file) {
  const firstLines = readFileSync(file, 'utf8').slice(0, 2000);
  const match = /time limit: (\d+) s\b/.exec(firstLines);
  return match === null ? DEFAULT_SECONDS : Number(match[1]);
}
