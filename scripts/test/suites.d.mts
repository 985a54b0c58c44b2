/** What `npm test` runs. */
export interface Suite {
  readonly name: string;
  /** Of a test file: its path. */
  readonly file?: string;
  /** The arguments of the Node.js that runs it. */
  readonly args: readonly string[];
  readonly seconds: number;
}

export function allSuites(): Suite[];
/** The files of one folder of `test`. */
export function testFiles(folder: string): Suite[];
