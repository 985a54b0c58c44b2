/**
 * The limits of the size of messages, for both directions.
 *
 * @see D-Bus specification, sections "Message Format", "Marshaling (Wire Format)" and "Valid Signatures"
 */

/** Header and body together: 128 MiB. */
export const MESSAGE_BYTES_MAXIMUM = 2 ** 27;

/** The data of one array: 64 MiB. */
export const ARRAY_BYTES_MAXIMUM = 2 ** 26;

/** Nested containers, including variants. */
export const DEPTH_MAXIMUM = 64;

/** Nested containers that every bus accepts: dbus-broker closes the connection of a client that sends 64. */
export const BUS_DEPTH_MAXIMUM = 63;

/** The error text for a value or signature with more nested containers than may be sent. */
export function tooDeepText(maximum: number): string {
  const why = maximum < DEPTH_MAXIMUM ? ', and dbus-broker takes no more' : '';
  return `more than ${maximum} containers are nested, variants included${why}`;
}
