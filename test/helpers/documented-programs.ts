/**
 * Programs in Markdown. A fenced block whose first line is a comment with a file name is that file; the files of a page are
 * in one folder, so their imports work. A block of `text` after a file is the output of the file: `…` stands for a part of
 * a line that differs each time.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A fenced block. */
export interface Block {
  readonly language: string;
  /** The text between the fences, with a newline at the end unless it is empty. */
  readonly text: string;
  /** The number of the line that opens it. */
  readonly line: number;
}

/** A file that a page shows. */
export interface DocumentedFile {
  /** The name in the comment; it may contain a folder. */
  readonly name: string;
  readonly text: string;
  /** Its output; `undefined` for a file that is not run. */
  readonly output: string | undefined;
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function fencedBlocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: text = '', index }) => ({
    language,
    text,
    line: markdown.slice(0, index).split('\n').length,
  }));
}

const NAME = /^(?:\/\/|#|<!--) (\S+\.\w+)(?: -->)?$/;

/** The files of a page, in order. */
export function documentedFiles(markdown: string): DocumentedFile[] {
  const blocks = fencedBlocks(markdown);
  return blocks.flatMap(({ text, line }, index) => {
    const name = NAME.exec(text.slice(0, text.indexOf('\n')))?.[1];
    if (name === undefined) return [];
    const next = blocks[index + 1];
    return [{ name, text, line, output: next?.language === 'text' ? next.text : undefined }];
  });
}

/** The lines that open blocks in TypeScript or JavaScript that are not files, and would not be compiled or run. */
export function unnamedPrograms(markdown: string): number[] {
  const named = new Set(documentedFiles(markdown).map(({ line }) => line));
  const programs = fencedBlocks(markdown).filter(({ language }) => language === 'ts' || language === 'js');
  return programs.map(({ line }) => line).filter((line) => !named.has(line));
}

/** Writes files into a folder, and into folders in it. */
export function writeFiles(folder: string, files: readonly DocumentedFile[]): void {
  for (const { name, text } of files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** The pattern for the output that a page shows. */
export function outputPattern(output: string): RegExp {
  const parts = output.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
