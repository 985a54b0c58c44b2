/** The types of what the bench uses of the setup, which is plain JavaScript because it runs before anything is there. */
declare module '*/scripts/setup/report.mjs' {
  export function say(line: string): void;
}

declare module '*/scripts/setup/system-packages.mjs' {
  export interface Requirement {
    readonly name: string;
    readonly present: () => boolean;
    /** The package that has it, by package manager. */
    readonly packages: Readonly<Record<string, string>>;
  }
  /** Installs what is missing; throws where it cannot. */
  export function requirePackages(things: readonly Requirement[]): void;
  /** Installs what is missing where it can, and says what is still not there and what becomes of that. */
  export function wishForPackages(things: readonly Requirement[], consequence: string): void;
}
