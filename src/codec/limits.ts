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
