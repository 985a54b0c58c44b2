/** Commands on standard input and answers on standard output, a line of JSON each. */
import { createInterface } from 'node:readline';

/** Handles the commands one after the other, and answers each with the result of the function. */
export async function answerLines<Command>(handle: (command: Command) => unknown): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, ...command } = JSON.parse(line) as Command & { id: number };
    say({ event: `done ${id}`, value: await handle(command as Command) });
  }
}

export function say(what: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(what));
}
