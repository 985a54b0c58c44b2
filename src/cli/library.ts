/**
 * The library, loaded when a command needs it: `busbar --help` and `busbar --version` do without, in half the time. Files
 * of the command line import only types from `../index.js`, and take everything else from {@link library}.
 */

/** What `busbar` exports. Only set after {@link loadLibrary}; `program.ts` awaits that before it runs a command. */
export let library: typeof import('../index.js');

/** Loads the library once. */
export async function loadLibrary(): Promise<void> {
  library ??= await import('../index.js');
}
