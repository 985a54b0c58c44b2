/** `busbar monitor`: the messages of a bus. */
import type { Monitor, MonitoredMessage, MonitorRule } from '../../index.js';
import type { Command, OptionValues } from '../command.js';
import { UsageFailure } from '../failure.js';
import { library } from '../library.js';
import { messageJson, TYPES } from '../monitor/message-json.js';
import { messageLine } from '../monitor/message-line.js';
import { StatusLine } from '../monitor/status-line.js';
import { TrafficCounts } from '../monitor/traffic-counts.js';
import { Output } from '../output.js';
import type { Session } from '../session.js';
import { quoted } from '../words.js';

/** More than the library's default: a terminal may stand still for a while. */
const LIMIT = 100_000;
/** Milliseconds: a longer time would end at once. */
const TIMER_MAXIMUM = 2 ** 31 - 1;

export const monitor: Command = {
  name: 'monitor',
  summary: 'shows the messages of a bus as they pass',
  docs: 'Each line has the caller on the left, the callee on the right, and an arrow from the sender of the message to its receiver; replies have the member that was called, and the time since the call. Names and conditions choose messages; replies to chosen calls are shown as well. It ends with Ctrl+C or after --timeout, and prints a summary on standard error. On a system bus only root may monitor.',
  arguments: [
    { name: 'NAME', docs: 'only messages from or to these names', optional: true, variadic: true, complete: 'name' },
  ],
  options: [
    { flags: '--sender NAME', docs: 'only messages from this name', complete: 'name' },
    { flags: '--destination NAME', docs: 'only messages to this name', complete: 'name' },
    { flags: '--path PATH', docs: 'only messages of this object' },
    { flags: '--interface INTERFACE', docs: 'only members of this interface' },
    { flags: '--member MEMBER', docs: 'only this method or signal' },
    {
      flags: '--type TYPE',
      docs: `only messages of this type, without replies: ${TYPES.slice(1).join(', ')}`,
      complete: TYPES.slice(1),
    },
    { flags: '--match RULE', docs: 'only messages that meet a match rule of D-Bus' },
    { flags: '--count NUMBER', docs: 'end after this many messages' },
    {
      flags: '--pcap FILE',
      docs: 'write a packet capture for Wireshark, - for standard output, instead of lines',
      complete: 'file',
    },
    { flags: '--no-summary', docs: 'print no summary' },
  ],
  examples: [
    ['busbar monitor', 'all messages of the session bus'],
    ['busbar monitor org.freedesktop.Notifications', 'what is asked of the notification service, and its answers'],
    ['busbar monitor --system --interface org.freedesktop.DBus.Properties', 'reading and writing of properties'],
    ['busbar monitor --json --count 100 | jq .member', 'an object on a line for each message'],
    ['busbar monitor --pcap - | wireshark -k -i -', 'shows the messages in Wireshark'],
    ['busbar monitor --timeout 1min', 'ends after a minute, and tells the slowest calls'],
  ],
  async run(session, words, options) {
    const rules = rulesOf(words, options);
    const count = countOf(options.count);
    // The time limit is that of monitoring, which connecting has no part of.
    const bus = await session.connect({ signal: session.signal });
    const source = bus.monitor(rules, {
      ...{ limit: LIMIT, signal: session.signal, processes: session.isLocal, replies: options.type === undefined },
    });
    await source.ready;
    if (session.hasTimeout) endAfter(session.limits.timeout, source);
    await show(session, source, count, options);
  },
};

async function show(session: Session, source: Monitor, count: number, { pcap, summary }: OptionValues): Promise<void> {
  const counts = new TrafficCounts();
  const status = new StatusLine(counts, process.stderr);
  let isCaptured = true;
  try {
    const messages = counted(source, counts, count);
    if (typeof pcap === 'string') await capture(pcap, messages);
    else for await (const message of messages) print(session.output, status, message);
  } catch (error) {
    isCaptured = !isOfSystem(error);
    throw error;
  } finally {
    source.end();
    status.end();
    if (summary !== false && isCaptured) printSummary(session, counts, source.dropped);
  }
}

async function capture(pcap: string, messages: AsyncIterable<MonitoredMessage>): Promise<void> {
  const isStdout = pcap === '-';
  try {
    await library.writePcap(isStdout ? process.stdout : pcap, messages);
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    // The reader of standard output has what it wants.
    if (isStdout && error.code === 'EPIPE') return;
    // The errors of writing have no path.
    throw Object.assign(error, { path: isStdout ? 'standard output' : pcap });
  }
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

async function* counted(source: Monitor, counts: TrafficCounts, count: number): AsyncGenerator<MonitoredMessage> {
  if (count === 0) return;
  for await (const message of source) {
    counts.add(message);
    yield message;
    if (counts.messages === count) return;
  }
}

function print(output: Output, status: StatusLine, message: MonitoredMessage): void {
  const line = output.json ? messageJson(message) : messageLine(output, message);
  status.clear();
  output.line(line);
}

function printSummary({ options }: Session, counts: TrafficCounts, dropped: number): void {
  const output = new Output({ json: false, color: options.color !== false }, process.stderr);
  process.stderr.write(`${counts.summary(output, dropped).join('\n')}\n`);
}

/** A rule for each name as sender and as destination, with the other conditions. */
function rulesOf(names: readonly string[], options: OptionValues): MonitorRule[] {
  const { sender, destination, path, interface: interfaceName, member, type, match } = options;
  const given = { sender, destination, path, interface: interfaceName, member, type };
  const conditions = Object.entries(given).filter(([, value]) => value !== undefined);
  const common = { ...matchOf(match), ...Object.fromEntries(conditions) } as MonitorRule;
  if (type !== undefined && !TYPES.slice(1).includes(String(type)))
    throw new UsageFailure(`--type ${quoted(String(type))}: expected one of ${TYPES.slice(1).join(', ')}`);
  if (names.length === 0) return [common];
  if (common.sender !== undefined && common.destination !== undefined)
    throw new UsageFailure('a name cannot be combined with --sender and --destination, which name both ends');
  return names.flatMap((name) => [
    ...(common.sender === undefined ? [{ ...common, sender: name }] : []),
    ...(common.destination === undefined ? [{ ...common, destination: name }] : []),
  ]);
}

function matchOf(text: string | boolean | undefined): MonitorRule {
  return typeof text === 'string' ? library.parseMatchRule(text) : {};
}

function countOf(text: string | boolean | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new UsageFailure(`--count ${text}: expected a whole number`);
}

/** Ends the monitor after a time. A timer of Node.js cannot take longer than `TIMER_MAXIMUM`, so it is set again. */
function endAfter(milliseconds: number, source: Monitor): void {
  const rest = milliseconds - TIMER_MAXIMUM;
  const then = rest > 0 ? () => endAfter(rest, source) : () => source.end();
  setTimeout(then, Math.min(milliseconds, TIMER_MAXIMUM)).unref();
}
