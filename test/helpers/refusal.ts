import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { thrown } from './rejection.js';

/** The text of the InvalidArgumentError that a function throws. */
export function refusal(run: () => unknown): string {
  const error = thrown(run);
  assert.instance(error, InvalidArgumentError);
  return error.message;
}
