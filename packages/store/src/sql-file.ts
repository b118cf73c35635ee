import { readFileSync } from 'node:fs';

const INCLUDE = /^( *)-- include (\S+)$/gm;

/** Reads a statement from `src/sql`. A line `-- include name` stands for the text of another one. */
export function readSql(name: string): string {
  const text = readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
  return text.replace(INCLUDE, (_line, _indent, included: string) => readSql(included));
}
