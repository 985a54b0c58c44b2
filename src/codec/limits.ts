/**
 * How large messages may be, for both directions.
 *
 * @see D-Bus specification, sections "Message Format", "Marshaling (Wire Format)" and "Valid Signatures"
 */

/** Header and body together: 128 MiB. */
export const MESSAGE_BYTES_MAXIMUM = 2 ** 27;

/** The data of one array: 64 MiB. */
export const ARRAY_BYTES_MAXIMUM = 2 ** 26;

/** Containers within one another, variants included. */
export const DEPTH_MAXIMUM = 64;

/** What every bus takes of them: dbus-broker ends the connection of who sends 64. */
export const BUS_DEPTH_MAXIMUM = 63;

/** That a value, or a signature, has more of them than may be sent. */
export function tooDeepText(maximum: number): string {
  const why = maximum < DEPTH_MAXIMUM ? ', which is what dbus-broker takes' : '';
  return `more than ${maximum} containers, variants included, are within one another${why}`;
}
