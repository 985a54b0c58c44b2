/**
 * What `console.log` shows of a proxy: its destination and object, and its members with their signatures. Nothing is
 * sent for it.
 */
import { printable } from '../base/printable.js';
import type { ArgumentDescription, InterfaceDescription } from '../interface/description.js';

/** How many members of each kind are shown. */
export const SHOWN_MAXIMUM = 30;

/** @param depth how many more levels of objects are shown */
export function shownProxy(
  description: InterfaceDescription,
  destination: string | undefined,
  path: string,
  depth: number,
): string {
  const what = `proxy of ${description.name} { ${destination ?? 'peer'} ${path}`;
  const lines = memberLines(description);
  if (depth < 0 || lines.length === 0) return `${what} }`;
  return `${what}\n${lines.map((line) => `  ${line}`).join('\n')}\n}`;
}

/** The members, one to a line: `call Ask(text: s) → u`, `on Said(s)`, `get set Level: u`. */
function memberLines({ methods, signals, properties }: InterfaceDescription): string[] {
  return [
    ...shownMembers(methods.values(), 'methods', (method) => {
      const result = method.out.length === 0 ? '' : ` → ${method.out.map(argument).join(', ')}`;
      return `call ${method.name}(${method.in.map(argument).join(', ')})${result}`;
    }),
    ...shownMembers(signals.values(), 'signals', ({ name, args }) => `on ${name}(${args.map(argument).join(', ')})`),
    ...shownMembers(properties.values(), 'properties', ({ name, access, signature }) => {
      const how = { read: 'get', write: 'set', readwrite: 'get set' }[access];
      return `${how} ${name}: ${signature}`;
    }),
  ];
}

function shownMembers<Member>(members: Iterable<Member>, kind: string, line: (member: Member) => string): string[] {
  return few('', [...members].map(line), kind);
}

/** The first lines of one kind. The names may come from another program, so they are made printable for a terminal. */
export function few(prefix: string, all: readonly string[], kind = prefix): string[] {
  const lines = all.slice(0, SHOWN_MAXIMUM).map((line) => printable(prefix === '' ? line : `${prefix} ${line}`));
  return all.length > SHOWN_MAXIMUM ? [...lines, `… ${all.length - SHOWN_MAXIMUM} more: ${kind}`] : lines;
}

function argument({ name, signature }: ArgumentDescription): string {
  return name === undefined ? signature : `${name}: ${signature}`;
}
