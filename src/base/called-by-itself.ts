/**
 * Names of members that JavaScript calls implicitly: `await` calls `then`, and `JSON.stringify` calls `toJSON`. An
 * object whose functions are named after D-Bus members must not send a message, or wait for one, because of such a
 * call. So it has these members under their names with parentheses, which no method or signal can have.
 */

/** The names that JavaScript calls implicitly. */
export type CalledByItself = 'then' | 'toJSON';

/** The property under which a member is found: `then()` for `then`, else the name of the member. */
export type Callable<Name> = Name extends CalledByItself ? `${Name}()` : Name;

/** Like {@link Callable}, at run time. */
export function callableName(name: string): string {
  return name === 'then' || name === 'toJSON' ? `${name}()` : name;
}
