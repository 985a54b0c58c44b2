/**
 * Reads an environment variable; `undefined` if it is empty or may not be read. Deno throws in the latter case, unless
 * it was started with `--allow-env`.
 */
export function environmentVariable(name: string): string | undefined {
  try {
    const value = process.env[name];
    return value === '' ? undefined : value;
  } catch {
    return undefined;
  }
}
