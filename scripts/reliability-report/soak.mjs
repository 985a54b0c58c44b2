/** The soak's figures: what was owed, and how each quantity went. */
import { table } from './tables.mjs';

export function soakOutcome({ seconds, failures, ledger }) {
  if (failures.length > 0) return `${failures.length} failures`;
  const owed = `all of ${ledger.calls} promises settled as they should, and all of ${ledger.emits} accepted signals arrived`;
  return `${Math.round(seconds / 60)} min: every quantity within its limit, ${owed}`;
}

export function soakDetails({ machine, transport, seconds, samples, ledger, quantities, failures }) {
  const { calls, settled, emits, arrived, refused, cycles, problems } = ledger;
  const half = seconds / 2;
  const rows = Object.values(quantities).map((quantity) => {
    const { title, first, last, least, most, median, trend, limit, ceiling, reason } = quantity;
    const values = [first, last, least, most, median].map((value) => scaled(title, value));
    const [slope, from, to] = [trend.slope, trend.least, trend.most].map((part) => scaled(title, part * half));
    const grown = `${slope} (${from} to ${to})`;
    const allowed = limit === undefined ? (ceiling === undefined ? 'none' : `median ${ceiling}`) : scaled(title, limit);
    return [title, ...values, grown, allowed, reason];
  });
  const values = ['first', 'last', 'least', 'most', 'median'];
  const head = ['quantity', ...values, 'growth in the second half', 'limit', 'why this limit'];
  return [
    `${seconds} s on ${machine.processor}, ${machine.cores} cores, ${machine.distribution}, ${machine.date}; transport ${transport}; ${samples} samples.`,
    [
      `- cycles: ${cycles}, each with a round of every kind of the load`,
      `- promises: ${calls}, of which ${settled} settled as they should. Most are method calls, with those that have to fail, some of them before anything is sent; booked with them are connections, subscriptions and names`,
      `- signals: ${emits} accepted, of which ${arrived} arrived in order; ${refused} more were refused`,
      `- problems: ${problems} reported on \`busbar:problem\`. All are failures of handlers, which are part of the load: any other one is a failure`,
    ].join('\n'),
    failures.length === 0 ? 'Nothing failed.' : failures.map((failure) => `- ✘ ${failure}`).join('\n'),
    table(head, rows),
    ...Object.entries(quantities).map(([name, { title }]) => `![${title}](soak-${name}.svg)`),
  ].join('\n\n');
}

/** Memory in MiB; everything else as it is, short. */
function scaled(title, value) {
  const isMemory = /heap|memory/i.test(title);
  const number = isMemory ? value / 2 ** 20 : value;
  return `${Number.isInteger(number) ? number : number.toFixed(2)}${isMemory ? ' MiB' : ''}`;
}
