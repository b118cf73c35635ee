import type * as z from 'zod';

/** One setting of a process: how its text is read, what holds without it, and what it means. */
export interface Setting<T> {
  readonly schema: z.ZodType<T>;
  /** `undefined`: the setting is required. */
  readonly byDefault: T | undefined;
  readonly doc: string;
  /** A secret's value is shown nowhere: neither in a listing nor in an error. */
  readonly secret: boolean;
}

/** What settings of any kind have in common, by name. */
export type Definitions = Record<string, Setting<unknown>>;

/** The values that `readSettings` gives for these definitions. */
export type Values<D extends Definitions> = { readonly [K in keyof D]: D[K] extends Setting<infer T> ? T : never };

/** Every setting that cannot be used, one line each, by name. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`${problems.length} bad setting${problems.length === 1 ? '' : 's'}:\n  ${problems.join('\n  ')}`);
    this.problems = problems;
  }
}

/** Defines a setting. Without a default it is required; an optional one has a schema that allows null, and null as its default. */
// biome-ignore lint/complexity/useMaxParams: definitions read as the rows of a table
export function setting<T>(
  schema: z.ZodType<T>,
  byDefault: T | undefined,
  doc: string,
  options: { secret?: boolean } = {},
): Setting<T> {
  return { schema, byDefault, doc, secret: options.secret ?? false };
}

type Outcome = { readonly value: unknown } | { readonly problem: string };

/** An empty variable counts as one that is not set: that is how compose files and shells leave one out. */
function readOne(name: string, definition: Setting<unknown>, env: NodeJS.ProcessEnv): Outcome {
  const found = env[name];
  if (found === undefined || found === '') {
    if (definition.byDefault !== undefined) return { value: definition.byDefault };
    return { problem: `${name}: required, but not set (${definition.doc})` };
  }
  const result = definition.schema.safeParse(found);
  if (result.success) return { value: result.data };
  const expected = result.error.issues.map((issue) => issue.message).join('; ');
  const shown = definition.secret ? 'a value that is not shown' : JSON.stringify(found);
  return { problem: `${name}: expected ${expected}, found ${shown}` };
}

/** Reads all settings, or throws a `SettingsError` that names every bad one. */
export function readSettings<D extends Definitions>(definitions: D, env: NodeJS.ProcessEnv): Values<D> {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, definition] of Object.entries(definitions)) {
    const outcome = readOne(name, definition, env);
    if ('problem' in outcome) problems.push(outcome.problem);
    else values[name] = outcome.value;
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return values as Values<D>;
}

/** One row of a settings listing, as text. */
export interface SettingDescription {
  readonly name: string;
  readonly doc: string;
  readonly byDefault: string;
  readonly value: string;
}

/** Every setting with its meaning, default and present value. Never throws for a bad value: it says what is wrong with it. */
export function describeSettings(definitions: Definitions, env: NodeJS.ProcessEnv): SettingDescription[] {
  return Object.entries(definitions).map(([name, definition]) => {
    const { byDefault, doc, secret } = definition;
    const hide = (value: unknown) => (secret && value !== null ? '(hidden)' : show(value));
    const outcome = readOne(name, definition, env);
    return {
      name,
      doc,
      byDefault: byDefault === undefined ? '(required)' : hide(byDefault),
      value: 'problem' in outcome ? `(bad) ${outcome.problem}` : hide(outcome.value),
    };
  });
}

const URL_PASSWORD = /(\w:\/\/[^/\s:@]*):[^/\s@]*@/g;

/** A URL's password is a secret in whichever setting it stands. */
function show(value: unknown): string {
  if (value === null) return '(none)';
  const words = typeof value === 'string' ? value : JSON.stringify(value);
  return words.replace(URL_PASSWORD, '$1:(hidden)@');
}
