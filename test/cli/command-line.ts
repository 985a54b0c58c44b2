/** Runs `busbar` as a program, from its sources, on a private bus. */
import { programArguments } from '../helpers/own-runtime.js';
import type { PrivateBus } from '../helpers/private-bus.js';
import { type Finished, type ProgramOptions, run } from '../helpers/program.js';

/** Plain text, whatever the environment of the tests says about colours. */
const PLAIN = { FORCE_COLOR: undefined, NO_COLOR: undefined, COLUMNS: undefined };

const options = (bus: PrivateBus | undefined, more: ProgramOptions): ProgramOptions => ({
  ...more,
  env: { ...PLAIN, ...bus?.env, ...more.env },
});

/** A run that has ended. */
export function busbar(
  bus: PrivateBus | undefined,
  words: readonly string[],
  more: ProgramOptions = {},
): Promise<Finished> {
  return run(process.execPath, programArguments('src/cli/main.ts', ...words), options(bus, more));
}

/** What a run prints that must succeed. */
export async function printed(bus: PrivateBus | undefined, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await busbar(bus, words);
  if (code === 0 && stderr === '') return stdout;
  throw new Error(`busbar ${words.join(' ')}: ended with ${code}\n${stdout}${stderr}`);
}

/** The same, as JSON. */
export async function printedJson(bus: PrivateBus, ...words: readonly string[]): Promise<unknown> {
  return JSON.parse(await printed(bus, ...words, '--json'));
}
