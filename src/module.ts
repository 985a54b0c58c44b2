/**
 * What `dist/index.cjs` exports: the library, and the function by which `dist/index.js` tells its own location, which is
 * not enumerable there.
 */
export * from './index.js';
export { setModuleUrl } from './native/places.js';
