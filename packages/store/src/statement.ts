import { readSql } from './sql-file.ts';

/** A prepared statement: parsed once per connection, under this name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** The statement in `sql/<name>.sql`. */
export function statement(name: string): Statement {
  return { name, text: readSql(name) };
}
