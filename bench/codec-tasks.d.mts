import type { Codec } from './peers/peer.mjs';

export interface Task {
  readonly id: string;
  readonly title: string;
  /** A function that does the task once; `undefined` if the codec cannot. The reference can do every task. */
  readonly prepare: (codec: Codec, reference: Codec) => (() => unknown) | undefined;
}

export const tasks: readonly Task[];
