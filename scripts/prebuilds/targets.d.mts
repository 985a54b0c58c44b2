/** What the tests use of it. */
export interface Target {
  readonly platform: string;
  readonly arch: string;
  readonly libc: string;
}

export const targets: readonly Target[];

export function fileOf(target: Target): string;
