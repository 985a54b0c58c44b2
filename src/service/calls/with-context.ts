import type { HandlerParameters } from '../../interface/definitions.js';
import type { ArgumentList } from '../../interface/member-inputs.js';
import type { VariantChoice } from '../../signature/types.js';
import type { CallContext } from './call-context.js';

/**
 * The arguments of a handler, followed by the context. Filled in a loop, because spreading takes several times as long.
 */
export function withContext(args: readonly unknown[], context: CallContext): unknown[] {
  const { length } = args;
  const all = new Array<unknown>(length + 1);
  for (let index = 0; index < length; index++) all[index] = args[index];
  all[length] = context;
  return all;
}

/** The parameters of a service's method that gets the call's context last. */
export type ParametersWithContext<I extends ArgumentList, V extends VariantChoice = 'plain'> = [
  ...HandlerParameters<I, V>,
  context: CallContext,
];
