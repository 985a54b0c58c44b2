/** The objects that the services of the stateful soak export, and the state of them in mirrors and in the model. */
import { defineInterface } from '../../../src/index.js';

export const ROOT = '/org/example/mirrored';
/** Always exported. Its `Epoch` tells the mirrors that they have received everything before. */
export const CLOCK = `${ROOT}/clock`;
export const ITEM = 'org.example.Mirrored';

export const Mirrored = defineInterface(ITEM, {
  methods: {
    /** Adds to `Bumps`, and returns the new value. */
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

/** The state that is equal in the service, in the model and in each mirror. */
export interface Values {
  Epoch: number;
  Bumps: number;
  Label: string;
  Tags: readonly string[];
  Sizes: Readonly<Record<string, number>>;
}

export type Objects = Record<string, Values>;

/** Commands for a service, on lines of its standard input. Each line has one answer. */
export type Command =
  | { readonly do: 'add'; readonly path: string; readonly values: Values }
  | { readonly do: 'remove'; readonly path: string }
  | { readonly do: 'set'; readonly path: string; readonly values: Partial<Values> }
  | { readonly do: 'tick'; readonly count: number }
  /** Answered with all objects, from variables that busbar does not know. */
  | { readonly do: 'tell' };

/** Commands for a mirror. */
export type MirrorCommand =
  /** Makes no calls until the next command; answered when none is pending any more. */
  | { readonly do: 'pause' }
  | { readonly do: 'resume' }
  /** Answered with all objects of a service, once its epoch has been received. */
  | { readonly do: 'show'; readonly name: string; readonly epoch: number }
  /** Answered with the counts so far, and the open resources. */
  | { readonly do: 'count' };

/** The state of a service in a mirror. */
export interface Seen {
  readonly objects: Objects;
  /** The number of the last tick, 0 if none came. */
  readonly ticks: number;
}

/** The totals of a mirror. */
export interface Counts {
  calls: number;
  answered: number;
  /** Calls that failed because the service or the object was gone. */
  left: number;
  signals: number;
  fetches: number;
}

/**
 * The resources that must be the same at the end as at the beginning, when all services are there and no call is pending.
 */
export interface Open {
  readonly descriptors: number;
  readonly pendingCalls: number;
  readonly subscriptions: number;
}
