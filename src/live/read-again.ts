/** Reads properties again that their owner has declared invalid. */
import { InvalidArgumentError, UnknownPropertyError } from '../base/errors.js';
import { misfitReply } from '../client/misfits.js';
import type { ReplyBody } from '../connection/sending/pending-calls.js';
import { report } from '../diagnostics/problems.js';
import { standardInterfaces } from '../interface/standard.js';
import type { Variant } from '../values/variant.js';
import type { ManagedInterface } from './managed-interface.js';
import type { Sent } from './property-values.js';
import type { LiveSource, Question } from './source.js';
import { removeDescriptors } from './without-descriptors.js';

const PROPERTIES = standardInterfaces.properties.name;

/**
 * Asks the owner for the properties that are not valid and have not been asked for: for one property alone with `Get`,
 * for several with `GetAll`.
 *
 * @param tell gets the names of what was read
 */
export function readAgain<Change>(
  source: LiveSource<Change>,
  managed: ManagedInterface,
  tell: (names: readonly string[]) => void,
  connectionId: number,
): void {
  const { values, path, name } = managed;
  const { names, reading } = values.beginReading();
  const [only] = names;
  const isOne = only !== undefined && names.length === 1;
  const question: Question = isOne
    ? { path, interface: PROPERTIES, member: 'Get', signature: 'ss', body: [name, only] }
    : { path, interface: PROPERTIES, member: 'GetAll', signature: 's', body: [name] };
  const end = (sent: Sent, reply?: ReplyBody) => {
    const held = reply === undefined ? [] : removeDescriptors(reply, sent);
    if (managed.isPresent) tell(values.endReading(reading, sent, held));
  };
  source.ask(
    question,
    (reply) => end(isOne ? { [only]: single(reply, question) } : all(reply, question), reply),
    (reason) => {
      if (isOne && saysMissing(reason)) {
        end({});
        return;
      }
      // Each look at the values asks again.
      if (!values.abandonReading(reading)) return;
      const what = `properties of ${name} of ${path} could not be read again`;
      report('message', what, reason, connectionId);
    },
  );
}

/** GLib and BlueZ answer `Get` of a property that does not exist with InvalidArgs: there is no other invalid argument. */
function saysMissing(reason: unknown): boolean {
  if (reason instanceof UnknownPropertyError) return true;
  return reason instanceof InvalidArgumentError && reason.reply !== undefined;
}

function single(reply: ReplyBody, question: Question): Variant {
  if (reply.signature !== 'v') throw misfitReply('the reply', 'v', reply.signature, question);
  return reply.decode({ variants: 'wrap' })[0] as Variant;
}

function all(reply: ReplyBody, question: Question): Sent {
  if (reply.signature !== 'a{sv}') throw misfitReply('the reply', 'a{sv}', reply.signature, question);
  return reply.decode({ variants: 'wrap' })[0] as Sent;
}
