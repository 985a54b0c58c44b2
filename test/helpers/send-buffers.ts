/**
 * Makes the kernel's send buffers of this process's sockets as small as possible, so that nearly every write finds them
 * full. Bytes that are sent to a unix socket count for the sender, so receive buffers have no effect. Node.js sets no
 * options of such sockets: a Python program does, which reaches them by pidfd_getfd(2) as debuggers do.
 */
import { spawnSync } from 'node:child_process';
import { pythonWith } from './python.js';

// The number of the system call is the same on every architecture. A duplicate is the same socket.
const PROGRAM = `
import ctypes, os, socket, sys
PIDFD_GETFD = 438
libc = ctypes.CDLL(None, use_errno=True)
process = os.pidfd_open(int(sys.argv[1]))
for number in sys.argv[2:]:
    duplicate = libc.syscall(PIDFD_GETFD, process, int(number), 0)
    if duplicate < 0: sys.exit(os.strerror(ctypes.get_errno()))
    try:
        end = socket.socket(fileno=duplicate)
    except OSError:
        continue
    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
`;

function shrink(fds: readonly string[]): string | undefined {
  const python = pythonWith('ctypes');
  if (python === undefined) return 'python3 not installed';
  const { status, stderr } = spawnSync(python, ['-c', PROGRAM, String(process.pid), ...fds], { encoding: 'utf8' });
  return status === 0 ? undefined : `no process reaches the sockets of its parent: ${stderr.trim().split('\n').at(-1)}`;
}

/** Why it is not possible on this machine. */
export function missingSendBuffers(): string | undefined {
  return shrink(['0']);
}

/** Does so for those of some descriptors, as `openFds` lists them, that are sockets. */
export function shrinkSendBuffers(fds: readonly string[]): void {
  const sockets = fds.filter((fd) => fd.includes('socket:')).map((fd) => String(Number.parseInt(fd, 10)));
  if (sockets.length === 0) throw new Error('there is no socket among them');
  const reason = shrink(sockets);
  if (reason !== undefined) throw new Error(reason);
}
