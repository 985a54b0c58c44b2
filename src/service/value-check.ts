/** Tells whether a value fits a signature at the moment when somebody can still be told: when it is assigned. */
import { encoderFor } from '../codec/encoder.js';
import { Writer } from '../codec/writer.js';
import { InvalidArgumentError, notAnAnswer } from '../errors.js';

let scratch: Writer | undefined;

/** @throws {@link InvalidArgumentError} with the property's name and the path within its value */
export function checkValue(name: string, signature: string, value: unknown): void {
  scratch ??= new Writer();
  scratch.beginMessage();
  try {
    encoderFor(signature)(scratch, [value]);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    // The encoder speaks of arguments; here is only one value, and it has a name.
    throw notAnAnswer(new InvalidArgumentError(error.message.replace(/^argument 0/, () => `property ${name}`)));
  } finally {
    scratch.reset();
  }
}
