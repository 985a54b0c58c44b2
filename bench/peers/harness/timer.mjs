/** How late timers fire: what a flood of messages does to everything else that a program does. */

/** Starts a timer of this period, and notes how late it fires each time. */
export function watchTimer(period) {
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
      // A timer that never got its turn is as late as it is by now.
      late.push(Math.max(0, performance.now() - due));
      late.sort((a, b) => a - b);
      const at = (share) => late[Math.min(late.length - 1, Math.floor(late.length * share))];
      return { timerMedian: at(0.5), timerP99: at(0.99), timerWorst: at(1) };
    },
  };
}
