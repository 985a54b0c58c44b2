import type { Codec } from './peer.mjs';

export interface Task {
  readonly id: string;
  readonly title: string;
  /** A function that does the task once; `undefined` where the codec cannot. */
  readonly prepare: (codec: Codec) => (() => unknown) | undefined;
}

export const tasks: readonly Task[];
