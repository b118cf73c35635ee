import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * What Grafana generates from its own schema, as types of what stands in a JSON file: an enum is its texts. `any`, which stands
 * there for "depends on the panel", is replaced by what that panel says.
 */
const SCHEMA = `
import type { Dashboard, FieldConfig, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type * as stat from '@grafana/grafana-foundation-sdk/stat';
import type * as table from '@grafana/grafana-foundation-sdk/table';
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

type IsAny<T> = 0 extends 1 & T ? true : false;
type Json<T> = IsAny<T> extends true ? unknown
  : T extends string ? \`\${T}\`
  : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer U)[] ? Json<U>[]
  : { [K in keyof T as T[K] extends (...all: never[]) => unknown ? never : K]: Json<T[K]> };

interface SqlQuery {
  refId: string; datasource: { type: string; uid: string }; editorMode: 'code';
  format: 'time_series' | 'table'; rawQuery: true; rawSql: string;
}
type Target = Json<dataquery> | SqlQuery;
type Of<Type extends string, Options, Custom> = Json<Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'>> & {
  type: Type;
  title: string;
  description: string;
  options: Json<Options>;
  fieldConfig: { defaults: Json<Omit<FieldConfig, 'custom'>> & { custom?: Json<Custom> }; overrides: [] };
  targets: Target[];
};
type AnyPanel =
  | Of<'stat', stat.Options, never>
  | Of<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Of<'table', table.Options, Partial<table.FieldConfig>>
  | (Omit<Json<RowPanel>, 'type' | 'panels'> & { type: 'row'; panels: [] });
type DashboardJson = Json<Omit<Dashboard, 'panels'>> & { panels: AnyPanel[] };
`;

/** Holds texts of JSON against Grafana's schema, all in one run; the compiler's complaints, a line each, by name. */
export async function schemaProblems(dashboards: Readonly<Record<string, string>>): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-schema-'));
  try {
    await symlink(resolve('node_modules'), join(dir, 'node_modules'));
    await writeFile(join(dir, 'package.json'), '{"type":"module"}');
    const checks = Object.entries(dashboards).map(([name, json]) => [`${name}.ts`, checkOf(json)] as const);
    for (const [file, text] of checks) await writeFile(join(dir, file), text);
    return await compile(
      dir,
      checks.map(([file]) => file),
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** JSON is TypeScript: as a literal it is also searched for what the schema does not know. */
function checkOf(json: string): string {
  return `${SCHEMA}export const checked: DashboardJson = ${json};\n`;
}

function compile(dir: string, files: readonly string[]): Promise<string[]> {
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'esnext', '--module', 'nodenext'];
  const program = resolve('node_modules/.bin/tsc');
  return new Promise((done, refuse) => {
    execFile(program, [...options, '--types', '', '--pretty', 'false', ...files], { cwd: dir }, (failure, stdout) => {
      const lines = stdout.split('\n').filter((line) => /^\S+\.ts\(/.test(line));
      if (failure && lines.length === 0)
        refuse(new Error(`tsc ended without a complaint: ${stdout}`, { cause: failure }));
      else done(lines);
    });
  });
}
