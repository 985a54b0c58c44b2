/** strace, which counts system calls; without it those workloads have no values. */
import { wishForPackages } from '../../scripts/setup/system-packages.mjs';
import { programPath } from '../../test/helpers/paths.js';

export function wishForStrace(): void {
  const strace = {
    name: 'strace',
    present: () => programPath('strace') !== undefined,
    packages: { 'apt-get': 'strace' },
  };
  wishForPackages([strace], 'system calls are not counted');
}
