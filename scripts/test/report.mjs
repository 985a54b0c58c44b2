/**
 * The output of a test run: a line for each suite, then the failures, the skipped tests with their reasons, and the counts.
 */

const kinds = ['passed', 'failed', 'skipped'];

export class Report {
  totals = { passed: 0, failed: 0, skipped: 0 };
  #width;
  #failures = [];
  #start = performance.now();

  /** @param suites those that will be reported: their names are aligned */
  constructor(suites) {
    this.#width = Math.max(0, ...suites.map(({ name }) => name.length));
  }

  /** Prints the line of a suite that has ended. */
  add(suite, result) {
    for (const kind of kinds) this.totals[kind] += result[kind];
    const line = this.#lineOf(suite, result);
    console.log(line);
    if (result.failed > 0) this.#failures.push({ suite, result, line });
  }

  /** Prints the output of failures again, where it is easily found: at the end. */
  finish(missingPeers) {
    for (const { suite, result, line } of this.#failures) {
      console.log(`\n${line}\n\n${result.output.trimEnd()}\n`);
      if (result.failure !== undefined) console.log(`${suite.name} ${result.failure}`);
    }
    if (this.totals.skipped > 0 && missingPeers.length > 0) {
      console.log(
        `\nSkipped: tests that need ${missingPeers.join(', ')}. To install these: npm test -- --install-peers`,
      );
    }
    console.log(`\nTook ${Math.round((performance.now() - this.#start) / 1000)} s.`);
    console.log(countsText(this.totals));
  }

  #lineOf(suite, result) {
    const reasons = result.reasons.length === 0 ? '' : `  (${result.reasons.join('; ')})`;
    const time = `${result.seconds.toFixed(1)} s`;
    const sign = result.failed > 0 ? '✘' : '✔';
    return `${sign} ${suite.name.padEnd(this.#width)}  ${countsOfSuite(result)}  ${time}${reasons}`;
  }
}

/** `12 passed, 0 failed`, and the skipped ones, if there are any. */
export function countsText({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Names only counts above zero. */
function countsOfSuite(result) {
  return kinds
    .filter((kind) => result[kind] > 0)
    .map((kind) => `${result[kind]} ${kind}`)
    .join(', ');
}
