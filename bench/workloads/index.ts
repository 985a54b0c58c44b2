/** All that is measured, in the order of the report. */
import { behaviour } from './behaviour.js';
import { growth } from './growth.js';
import { messages } from './messages.js';
import type { Workload } from './workload.js';

export type { Workload } from './workload.js';

export const workloads: readonly Workload[] = [...messages, ...behaviour, ...growth];
