/**
 * Reads many properties for one answer, without those that the caller may not read. The user is not asked about them.
 */
import { DBusError } from '../../base/error-classes.js';
import { isOfBusbar } from '../../base/errors.js';
import type { EncodedEntries } from '../../codec/encoded-entries.js';
import { reportFailure } from '../../diagnostics/problems.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import type { Exportable } from '../objects/exportable.js';
import { type ReadProperties, whenRead } from '../properties/reading.js';
import { checkPermit } from './check-permit.js';
import { whenPermitted } from './guard.js';
import { guardsReads } from './member-rules.js';
import type { Permit } from './permission.js';

/** Returns the entries of an object's properties, except those whose names were read already. */
export type ReadObject = (exportable: Exportable, names?: Set<string>) => EncodedEntries;

/**
 * As `whenRead`, for objects some of whose properties not all callers may read.
 *
 * @param objects the objects that `make` reads
 */
export function whenGuardedRead<Result>(
  call: IncomingCall,
  objects: () => Iterable<Exportable>,
  make: (read: ReadObject) => Result,
): unknown {
  const permits = guardsReads.inUse ? new Set(permitsOf(objects())) : none;
  const granted = new Set<Permit>();
  // An object that is exported while slow getters are awaited is read as well. Its permits were not checked.
  const makeGranted = () =>
    whenRead((read) => make((exportable, names) => readGranted(exportable, granted, read, names)), call);
  if (permits.size === 0) return makeGranted();
  const checks = [...permits].flatMap((permit) => check(call, permit, granted) ?? []);
  return whenPermitted(call, checks.length === 0 ? undefined : Promise.all(checks), makeGranted);
}

/** The entries of an object's properties that are open to all, or have a permit that is granted. */
function readGranted(
  { properties, rules }: Exportable,
  granted: ReadonlySet<Permit>,
  read: ReadProperties,
  names: Set<string> | undefined,
): EncodedEntries {
  if (rules === undefined || rules.guarded.size === 0) return read(properties, names);
  const skipped = new Set(names);
  for (const name of rules.guarded) {
    const permit = rules.properties.get(name)?.read;
    if (permit !== undefined && !granted.has(permit)) skipped.add(name);
  }
  const entries = read(properties, skipped);
  for (const name of properties.description.properties.keys()) names?.add(name);
  return entries;
}

const none: ReadonlySet<never> = new Set();

function* permitsOf(objects: Iterable<Exportable>): Generator<Permit> {
  for (const { rules } of objects) {
    for (const name of rules?.guarded ?? []) {
      const permit = rules?.properties.get(name)?.read;
      if (permit !== undefined) yield permit;
    }
  }
}

/** Checks a permit once for all properties that have it. Never throws. */
function check(call: IncomingCall, permit: Permit, granted: Set<Permit>): Promise<void> | undefined {
  const refused = (error: unknown) => {
    // Functions of the program may fail in their own ways, which is no answer here.
    if (!(error instanceof DBusError) || isOfBusbar(error)) reportFailure(call.what, error, call.connectionId);
  };
  try {
    const checked = checkPermit(permit, call, call.what, () => [], true);
    if (checked !== undefined) return checked.then(() => void granted.add(permit), refused);
    granted.add(permit);
  } catch (error) {
    refused(error);
  }
  return undefined;
}
