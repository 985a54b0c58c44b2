/** A service that sends many signals, for the workloads that receive them. */
import { NAME } from './names.mjs';

/** A function that has the service send many signals, and resolves after the last. */
export async function flooded(peer, parameters) {
  const pause = Number(parameters.get('pause') ?? 0);
  let done;
  await peer.onDone(NAME, () => done());
  return async (operations) => {
    const timer = parameters.has('timer') ? watchTimer(Number(parameters.get('timer'))) : undefined;
    const size = process.resourceUsage().maxRSS;
    const finished = new Promise((resolve) => {
      done = resolve;
    });
    peer.send(NAME, 'Emit', 'u', operations);
    if (pause > 0) await queueUp(peer, pause);
    await finished;
    return { ...timer?.stop(), grown: (process.resourceUsage().maxRSS - size) * 1024 };
  };
}

/** Blocks for some milliseconds once everything is sent, so that messages queue up. */
async function queueUp(peer, milliseconds) {
  await peer.ping();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Starts a timer of this period, and records how late it fires each time: the effect of many messages on the rest of a
 * program.
 */
function watchTimer(period) {
  const late = [];
  let due = performance.now() + period;
  let handle = setTimeout(fire, period);
  function fire() {
    const now = performance.now();
    late.push(now - due);
    due = now + period;
    handle = setTimeout(fire, period);
  }
  return {
    stop() {
      clearTimeout(handle);
      // A timer that never fired is as late as it is by now.
      late.push(Math.max(0, performance.now() - due));
      late.sort((a, b) => a - b);
      const at = (share) => late[Math.min(late.length - 1, Math.floor(late.length * share))];
      return { timerMedian: at(0.5), timerP99: at(0.99), timerWorst: at(1) };
    },
  };
}
