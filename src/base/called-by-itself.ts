/**
 * Names of members that JavaScript calls by itself, where an object has functions by the names of D-Bus members: `await` calls
 * `then`, and `JSON.stringify` calls `toJSON`. What only holds the members must not send anything for that, nor wait for it. So
 * such a member goes by its name with parentheses, which no method and no signal has.
 */

/** The names that JavaScript calls by itself. */
export type CalledByItself = 'then' | 'toJSON';

/** The name that a member goes by: `then()` for `then`, else its own. */
export type Callable<Name> = Name extends CalledByItself ? `${Name}()` : Name;

/** As {@link Callable}, at run time. */
export function callableName(name: string): string {
  return name === 'then' || name === 'toJSON' ? `${name}()` : name;
}
