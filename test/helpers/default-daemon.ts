/** Imported before a test file that is to use another daemon by default: if that is missing, the whole file is skipped. */
import { PrivateBus } from './private-bus.js';

const missing = PrivateBus.missing();
if (missing !== undefined) {
  // In the format of uvu's summary, and of `skip`.
  console.log(`# skipped: all (${missing})\n\n  Total:     0\n  Passed:    0\n  Skipped:   1\n`);
  process.exit();
}
