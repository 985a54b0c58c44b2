/**
 * Methods of a remote object: the functions in the `call` namespace of a proxy. Each has a prepared head, and checks the
 * signature of the reply before its values are decoded.
 */
import { callFlags } from '../bus/names/requests.js';
import type { DecodeOptions } from '../codec/decode-options.js';
import { shapedBody } from '../codec/shaped-value.js';
import { MessageType } from '../connection/message.js';
import { PreparedHead } from '../connection/sending/header.js';
import type { ReplyBody } from '../connection/sending/pending-calls.js';
import { report } from '../diagnostics/problems.js';
import type { MethodDescription } from '../interface/description.js';
import { misfitReply, misfitText, shapeMisfitReply } from './misfits.js';
import type { Remote } from './remote.js';
import { decodeShaped } from './shaped-values.js';
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
  const { inShapes, outShapes } = method;
  const takeValues = outShapes === undefined ? take : takeShaped(remote, method, take);
  const takeResult = method.returns === undefined ? takeValues : takeObjects(remote, method, takeValues);
  return <Result>(...given: readonly unknown[]) => {
    const body = inShapes === undefined ? given : shapedBody(inShapes, given);
    return whenPresent(remote, (options) => bus.request(head, body, options, takeResult)) as Promise<Result>;
  };
}

type Take = (reply: ReplyBody, options: DecodeOptions) => unknown;

/** @param takeOther takes replies of another signature, which have no shape */
function takeShaped(remote: Remote, method: MethodDescription, takeOther: Take): Take {
  const { description, destination, path } = remote;
  const { name, out, outSignature } = method;
  const call = { destination, path, interface: description.name, member: name };
  return (reply, options) => {
    if (reply.signature !== outSignature) return takeOther(reply, options);
    const values = decodeShaped(remote, reply, out, `the reply of ${description.name}.${name}`, (misfit, index) => {
      throw shapeMisfitReply(out.length === 1 ? 'the reply' : `the reply[${index}]`, misfit, call);
    });
    return values.length === 1 ? values[0] : values;
  };
}

/** Makes proxies of the paths whose interfaces the definition names. */
function takeObjects(remote: Remote, { returns = [], outSignature }: MethodDescription, takeValues: Take): Take {
  const { bus, destination, options } = remote;
  const objectOf = (value: unknown, index: number): unknown => {
    const target = returns[index];
    if (target === undefined) return value;
    const proxyAt = (path: string) => bus.proxy(target, destination, path).with(options);
    return Array.isArray(value) ? value.map(proxyAt) : proxyAt(value as string);
  };
  return (reply, options) => {
    const result = takeValues(reply, options);
    if (reply.signature !== outSignature) return result;
    return returns.length === 1 ? objectOf(result, 0) : (result as unknown[]).map(objectOf);
  };
}

/** @throws {@link InvalidReplyError} unless the proxy is loose */
function refuseReply(remote: Remote, { name, outSignature }: MethodDescription, signature: string): void {
  const { bus, description, destination, path, options } = remote;
  const call = { destination, path, interface: description.name, member: name };
  if (options.loose !== true) throw misfitReply('the reply', outSignature, signature, call);
  const text = misfitText(`the reply of ${description.name}.${name}`, outSignature, signature);
  report('misfit', text, undefined, bus.connectionId);
}
