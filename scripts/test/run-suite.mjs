/** Runs one suite in a separate process group, so that nothing it started outlives it or its time limit. */
import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { root } from '../setup/report.mjs';

/** Milliseconds in which a file that exceeded its time may remove its temporary folders, before it is killed. */
const GRACE = 3000;

const running = new Set();

// The groups are not the terminal's, so an interruption must be passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const pid of running) signalGroup(pid, 'SIGTERM');
    process.exit(1);
  });
}

/** Runs a suite; resolves with its counts, its output, and the reason of a failure that the counts do not show. */
export async function runSuite(suite) {
  if (suite.missing !== undefined) {
    return { passed: 0, failed: 0, skipped: 1, reasons: [suite.missing], output: '', seconds: 0 };
  }
  const start = performance.now();
  const { output, problem } = await runToEnd(suite);
  const counts = suite.counts(output, problem === undefined);
  const failure = problem || (counts === undefined ? 'ran no tests' : undefined);
  const result = { ...(counts || { passed: 0, failed: 0, skipped: 0, reasons: [] }), output };
  // Every test may have passed and the process failed even so.
  if (failure !== undefined && result.failed === 0) result.failed = 1;
  return { ...result, failure, seconds: (performance.now() - start) / 1000 };
}

function runToEnd({ command = process.execPath, args, env: variables, seconds }) {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...variables };
    const child = spawn(command, args, { cwd: root, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child.pid);
    let output = '';
    let problem;
    const collect = (text) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    const kill = () => signalGroup(child.pid, 'SIGKILL');
    const timer = setTimeout(() => {
      problem = `took longer than ${seconds} s`;
      signalGroup(child.pid, 'SIGTERM');
      setTimeout(kill, GRACE).unref();
    }, seconds * 1000);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0) problem = problem || `ended with ${signal || `exit code ${code}`}`;
      // Processes that the suite left running keep its output open.
      kill();
      running.delete(child.pid);
    });
    child.on('close', () => resolve({ output: stripVTControlCharacters(output), problem }));
  });
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
