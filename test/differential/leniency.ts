/**
 * The rules that other readers do not check, in the words of busbar's own check, which stand for the sections of the
 * specification: if a reader accepts a message that breaks another rule, the reader has changed, or busbar is wrong.
 */

/** The rules that none of the lenient readers checks. */
const byNobody = [
  'the serial must not be 0',
  'padding behind the header must be zero',
  'padding between header fields must be zero',
  'a header field must have the type that the specification gives it',
  'a header field must not appear twice',
  'DESTINATION must be a bus name',
  'SENDER must be a bus name',
  'a message must not use the path or interface that is reserved for local messages',
  'a file descriptor must be one of those that came with the message',
  'a boolean must be 0 or 1',
  'the body must end with the last value of its signature',
  'values must end within the body, or within the array that they are in',
  'padding must be zero',
  'a string must not contain NUL',
  'a signature must be valid',
];

/** By reader, as `readers/index.ts` names it. */
export const leniency: Readonly<Record<string, ReadonlySet<string>>> = {
  GDBus: new Set([
    ...byNobody,
    'a header field must not have the code 0',
    'a header field must end within the header',
    'the value of an unknown header field must be valid',
    'REPLY_SERIAL must not be 0',
    'PATH must be an object path',
    'INTERFACE must be an interface name',
    'MEMBER must be a member name',
    'ERROR_NAME must be an error name',
    'SIGNATURE must be a valid signature',
    'an object path must be valid',
    'a variant must have exactly one complete type',
    'a message must not exceed 128 MiB',
  ]),
  'dbus-next': new Set([
    ...byNobody,
    'a header field must end within the header',
    'a string of a header field must end with NUL',
    'a string must end with NUL',
    'a message with a body must have a SIGNATURE',
    'values must not be nested in more than 64 containers',
    'an array must end where its last element does',
  ]),
  'dbus-fast': new Set([
    ...byNobody,
    'REPLY_SERIAL must not be 0',
    'the header must have the fields that its message type requires',
    'PATH must be an object path',
    'INTERFACE must be an interface name',
    'MEMBER must be a member name',
    'ERROR_NAME must be an error name',
    'SIGNATURE must be a valid signature',
    'a message with a body must have a SIGNATURE',
    'a string must end with NUL',
    'an object path must be valid',
    'a variant must have exactly one complete type',
    'values must not be nested in more than 64 containers',
    'an array must not exceed 64 MiB',
    'an array must end where its last element does',
    'a message must not exceed 128 MiB',
    'a header field must end within the header',
    'a string of a header field must end with NUL',
  ]),
};
