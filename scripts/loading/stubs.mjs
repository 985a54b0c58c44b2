/** The functions of Node-API that scripts/loading/host.c does not have: weak ones, which say their name and end. */
import { createRequire } from 'node:module';

export function stubs() {
  const { symbols } = createRequire(import.meta.url)('node-api-headers');
  const names = [...symbols.v9.js_native_api_symbols, ...symbols.v9.node_api_symbols];
  const functions = names.map((name) => `__attribute__((weak)) int ${name}(void) { return unexpected("${name}"); }`);
  return ['int unexpected(const char* name);', ...functions, ''].join('\n');
}
