/** What the services of the stateful soak export, and what their mirrors and the model hold of it. */
import { defineInterface } from '../../../src/index.js';

export const ROOT = '/org/example/mirrored';
/** Always there. Its `Epoch` tells the mirrors that they have seen everything before. */
export const CLOCK = `${ROOT}/clock`;
export const ITEM = 'org.example.Mirrored';

export const Mirrored = defineInterface(ITEM, {
  methods: {
    /** Adds to `Bumps`, and returns what it is then. */
    Bump: { in: 'u', out: 'u' },
    Echo: { in: ['text:s', 'sizes:a{su}'], out: ['text:s', 'sizes:a{su}'] },
  },
  signals: { Ticked: { args: ['number:u'] } },
  properties: {
    Epoch: { type: 'u', access: 'read' },
    Bumps: { type: 'u', access: 'read' },
    Label: { type: 's', access: 'readwrite' },
    Tags: { type: 'as', access: 'readwrite' },
    Sizes: { type: 'a{su}', access: 'readwrite' },
  },
});

/** What is the same in the service, in the model and in each mirror. */
export interface Values {
  Epoch: number;
  Bumps: number;
  Label: string;
  Tags: readonly string[];
  Sizes: Readonly<Record<string, number>>;
}

export type Objects = Record<string, Values>;

/** What a service is told to do, on a line of its standard input. Each line is answered by one. */
export type Command =
  | { readonly do: 'add'; readonly path: string; readonly values: Values }
  | { readonly do: 'remove'; readonly path: string }
  | { readonly do: 'set'; readonly path: string; readonly values: Partial<Values> }
  | { readonly do: 'tick'; readonly count: number }
  /** Answered with all objects, from variables that busbar knows nothing of. */
  | { readonly do: 'tell' };

/** What a mirror is told. */
export type MirrorCommand =
  /** Make no calls until told to go on; answered when none waits any more. */
  | { readonly do: 'pause' }
  | { readonly do: 'resume' }
  /** Answered with all objects of a service, once its epoch has been seen. */
  | { readonly do: 'show'; readonly name: string; readonly epoch: number }
  /** Answered with what was counted so far, and what is open. */
  | { readonly do: 'count' };

/** What a mirror has seen of a service. */
export interface Seen {
  readonly objects: Objects;
  /** The number of the last tick, 0 if none came. */
  readonly ticks: number;
}

/** What a mirror counted in all. */
export interface Counts {
  calls: number;
  answered: number;
  /** Calls that failed because the service or the object was not there any more. */
  left: number;
  signals: number;
  fetches: number;
}

/** What must be the same at the end as at the beginning, when all services are there and no call waits. */
export interface Open {
  readonly descriptors: number;
  readonly pendingCalls: number;
  readonly subscriptions: number;
}
