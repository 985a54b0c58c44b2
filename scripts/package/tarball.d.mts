/** What npm tells of a tarball. */
export interface Tarball {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly shasum: string;
  readonly integrity: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

export function packBusbar(folder: string): Tarball;
export function packWithDependencies(folder: string): Tarball[];
