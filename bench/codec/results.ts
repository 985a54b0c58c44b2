/** What the codecs' benchmark found. */

export interface CodecResults {
  readonly libraries: readonly { readonly id: string; readonly title: string }[];
  readonly tasks: readonly CodecTaskResult[];
}

export interface CodecTaskResult {
  readonly id: string;
  readonly title: string;
  /** Microseconds by the ids of libraries: the median of the rounds. Libraries that cannot do it are missing. */
  readonly microseconds: Readonly<Record<string, number>>;
}
