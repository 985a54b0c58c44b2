/**
 * A variable of the environment; `undefined` where it is empty, and where it may not be read. Deno throws there, unless it was
 * started with `--allow-env`.
 */
export function environmentVariable(name: string): string | undefined {
  try {
    const value = process.env[name];
    return value === '' ? undefined : value;
  } catch {
    return undefined;
  }
}
