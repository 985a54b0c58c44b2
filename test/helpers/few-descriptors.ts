/**
 * Statements for a script whose process may have a hundred descriptors from then on. They are after its imports: Node.js
 * opens all modules that a module imports at once.
 */
export const fewDescriptors = `
  const { execFileSync } = await import('node:child_process');
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=100']);
`;
