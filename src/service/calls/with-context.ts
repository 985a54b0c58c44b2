import type { CallContext } from './call-context.js';

/** The arguments of a handler that gets the context behind them. Filled by hand: spreading takes several times as long. */
export function withContext(args: readonly unknown[], context: CallContext): unknown[] {
  const { length } = args;
  const all = new Array<unknown>(length + 1);
  for (let index = 0; index < length; index++) all[index] = args[index];
  all[length] = context;
  return all;
}
