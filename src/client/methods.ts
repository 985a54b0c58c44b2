/**
 * Methods of a remote object: the functions in the `call` namespace of a proxy. Each has a prepared head, and checks the
 * signature of the reply before its values are decoded.
 */
import { callFlags } from '../bus/names/requests.js';
import type { DecodeOptions } from '../codec/decode-options.js';
import { MessageType } from '../connection/message.js';
import { PreparedHead } from '../connection/sending/header.js';
import type { ReplyBody } from '../connection/sending/pending-calls.js';
import { report } from '../diagnostics/problems.js';
import type { MethodDescription } from '../interface/description.js';
import { misfitReply, misfitText } from './misfits.js';
import type { Remote } from './remote.js';
import { whenPresent } from './when-present.js';

export function callMethod(remote: Remote, method: MethodDescription) {
  const { bus, description, destination, path, options } = remote;
  const noReply = options.noReply ?? method.noReply;
  const head = new PreparedHead({
    type: MessageType.MethodCall,
    flags: callFlags({ ...options, noReply }),
    destination,
    path,
    interface: description.name,
    member: method.name,
    signature: method.inSignature,
  });
  const take = (reply: ReplyBody, options: DecodeOptions): unknown => {
    const { signature } = reply;
    if (signature !== method.outSignature && !noReply) refuseReply(remote, method, signature);
    const values = reply.decode(options);
    return values.length <= 1 ? values[0] : values;
  };
  return <Result>(...body: readonly unknown[]) =>
    whenPresent(remote, (options) => bus.request(head, body, options, take)) as Promise<Result>;
}

/** @throws {@link InvalidReplyError} unless the proxy is loose */
function refuseReply(remote: Remote, { name, outSignature }: MethodDescription, signature: string): void {
  const { bus, description, destination, path, options } = remote;
  const call = { destination, path, interface: description.name, member: name };
  if (options.loose !== true) throw misfitReply('the reply', outSignature, signature, call);
  const text = misfitText(`the reply of ${description.name}.${name}`, outSignature, signature);
  report('misfit', text, undefined, bus.connectionId);
}
