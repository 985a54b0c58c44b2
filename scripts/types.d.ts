/**
 * Types of the scripts for tests and the bench; the scripts are plain JavaScript because they run before anything is
 * installed.
 */
declare module '*/scripts/setup/report.mjs' {
  export class SetupError extends Error {}
  export function printStep(line: string): void;
}

declare module '*/scripts/options.mjs' {
  import type { ParseArgsConfig, parseArgs } from 'node:util';

  type Options = NonNullable<ParseArgsConfig['options']>;
  /** Returns the options of this process, as `parseArgs` does; ends the process for `--help` and unknown options. */
  export function readOptions<const Known extends Options = Record<never, never>>(
    usage: string,
    options?: Known,
  ): { readonly values: ReturnType<typeof parseArgs<{ options: Known }>>['values'] };
  /** Ends the process because of its arguments. */
  export function refuse(problem: string): never;
}

declare module '*/scripts/setup/bundling.mjs' {
  /** A module of many, as text. */
  export interface Bundle {
    readonly text: string;
    readonly exports: readonly string[];
  }
  export function bundle(input: string, options?: object): Promise<Bundle>;
  export function bundleCommon(input: string, hidden?: readonly string[]): Promise<Bundle>;
}

declare module '*/scripts/setup/runtime-packages.mjs' {
  export interface RuntimePackage {
    readonly name: string;
    readonly version: string;
    /** Its path in the package. */
    readonly executable: string;
  }
  /** Installs a runtime unless it is there, and returns the path of its executable; throws if it cannot. */
  export function installRuntime(runtime: RuntimePackage): string;
  /** Installs a tool with its requirements unless it is there, and returns its `node_modules`; throws if it cannot. */
  export function installPackages(name: string, dependencies: Readonly<Record<string, string>>): string;
}

declare module '*/scripts/runtimes/list.mjs' {
  import type { RuntimePackage } from '*/scripts/setup/runtime-packages.mjs';

  export const newestNode: RuntimePackage;
  export const runtimes: readonly { readonly id: string; readonly package?: RuntimePackage }[];
}

declare module '*/scripts/setup/system-packages.mjs' {
  export interface Requirement {
    readonly name: string;
    readonly present: () => boolean;
    /** Its package, by package manager. */
    readonly packages: Readonly<Record<string, string>>;
  }
  /** Installs missing requirements; throws if it cannot. */
  export function requirePackages(things: readonly Requirement[]): void;
  /** Installs missing requirements if it can, and prints those that are still missing and the consequence. */
  export function installOptionalPackages(things: readonly Requirement[], consequence: string): void;
}

declare module '*/scripts/report.mjs' {
  type Cell = string | number | undefined;

  export const pages: Readonly<Record<'reliability' | 'support' | 'benchmarks', string>>;
  /** Prints the text of a section of a page, keeps its figures, and writes the section on request. */
  export function writeResults(what: {
    readonly page: string;
    readonly section: string;
    readonly command: string;
    readonly text: string;
    readonly figures: unknown;
    readonly write?: boolean;
  }): void;
  /** The rows of the first table of a section, as the texts of their cells. */
  export function tableRows(page: string, section: string): readonly (readonly string[])[];
  /** These rows, and those of the section's table with other subjects, in this order. */
  export function withOtherRows(
    page: string,
    section: string,
    rows: readonly (readonly string[])[],
    order: readonly string[],
  ): readonly (readonly string[])[];
  export function replaceSection(page: string, section: string, text: string): void;
  export function readSection(page: string, section: string): string;
  /** Prints Markdown, with the columns of tables below each other. */
  export function print(text: string): void;
  export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string;
}

declare module '*/scripts/tarball.mjs' {
  /** npm's description of a tarball. */
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
}

declare module '*/scripts/prebuilds/targets.mjs' {
  /** The part of it that the tests use. */
  export interface Target {
    readonly platform: string;
    readonly arch: string;
    readonly libc: string;
  }

  export const targets: readonly Target[];

  export function fileOf(target: Target): string;
}
