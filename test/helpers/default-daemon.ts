/** Imported before a test file that is to have another daemon by default: where there is none, all of the file is skipped. */
import { PrivateBus } from './private-bus.js';

const missing = PrivateBus.missing();
if (missing !== undefined) {
  // As uvu sums up, and `skip` tells why.
  console.log(`# skipped: all (${missing})\n\n  Total:     0\n  Passed:    0\n  Skipped:   1\n`);
  process.exit();
}
