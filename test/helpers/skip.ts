/** Skipping a test with its reason: `scripts/test.mjs` reads the printed line and shows the reason beside the suite. */
import type { Test } from 'uvu';

/** Skips one test of a suite with a reason, for instance because a program it needs is not installed. */
export function skip<T>(test: Test<T>, name: string, reason: string): void {
  console.log(`# skipped: ${name} (${reason})`);
  test.skip(name);
}

/** `test(name, callback)` if nothing is missing, otherwise {@link skip} with the reason. */
export function testUnless<T>(
  missing: string | undefined,
  test: Test<T>,
  name: string,
  callback: Parameters<Test<T>>[1],
): void {
  if (missing === undefined) test(name, callback);
  else skip(test, name, missing);
}
