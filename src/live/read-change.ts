/** The content of PropertiesChanged. */
import { misfitText } from '../client/misfits.js';
import type { Inbox } from '../connection/receiving/inbox.js';
import { report } from '../diagnostics/problems.js';
import type { Sent } from './property-values.js';
import { removeDescriptors } from './without-descriptors.js';

export interface PropertiesChange {
  readonly name: string;
  readonly sent: Sent;
  readonly invalidated: readonly string[];
  /** Properties that changed, and whose values hold descriptors. */
  readonly held: readonly string[];
}

const SIGNATURE = 'sa{sv}as';

/** Returns `undefined`, and reports it, if the signal does not have its types. */
export function readChange(received: Inbox): PropertiesChange | undefined {
  if (received.signature !== SIGNATURE) {
    const text = misfitText('PropertiesChanged', SIGNATURE, received.signature);
    report('misfit', text, undefined, received.connectionId);
    return undefined;
  }
  const [name, sent, invalidated] = received.decode({ variants: 'wrap' }) as [string, Sent, string[]];
  return { name, sent, invalidated, held: removeDescriptors(received, sent) };
}
