/** The portals of the desktop, and their request pattern. */
export * from './portals/interfaces.js';
export {
  type PortalArguments,
  type PortalMethod,
  PortalRequestError,
  type PortalRequestOptions,
  portalRequest,
  portalToken,
} from './portals/request.js';
export type {
  ChosenFiles,
  FileFilter,
  PortalResults,
  PortalResultsOf,
  PortalSession,
  PortalShortcut,
  PortalStream,
} from './portals/results.js';
