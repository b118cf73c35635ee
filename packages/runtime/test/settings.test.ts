import { expect, test } from 'vitest';
import {
  bool,
  describeSettings,
  integer,
  list,
  oneOf,
  readSettings,
  SettingsError,
  setting,
  text,
  url,
} from '../src/index.ts';

const definitions = {
  PORT: setting(integer({ min: 0, max: 65_535 }), 3_000, 'Where to listen.'),
  MODE: setting(oneOf(['always', 'everysec']), 'always', 'How often to sync.'),
  DEV: setting(bool(), false, 'For development.'),
  HOSTS: setting(list(), [], 'Who may be asked for.'),
  REDIS: setting(url(['redis', 'rediss']), undefined, 'The log store.'),
  SECRET: setting(text(), undefined, 'Signs tokens.', { secret: true }),
  ISSUER: setting(text().nullable(), null, 'Checked where set.'),
};

const good = { REDIS: 'redis://:hunter2@127.0.0.1:6379', SECRET: 'swordfish' };

test('reads values with their types and fills in defaults; an empty variable counts as not set', () => {
  const values = readSettings(definitions, { ...good, PORT: '', DEV: 'Yes', HOSTS: 'a, b,' });
  const port: number = values.PORT;
  const mode: 'always' | 'everysec' = values.MODE;
  const issuer: string | null = values.ISSUER;
  expect({ port, mode, issuer }).toEqual({ port: 3_000, mode: 'always', issuer: null });
  expect(values).toMatchObject({ DEV: true, HOSTS: ['a', 'b'], SECRET: 'swordfish' });
});

test('[RUN-13] every bad setting is named at once, with what is expected and what was found', () => {
  const env = { PORT: '99999', MODE: 'never', DEV: 'maybe', REDIS: 'http://x' };
  const read = () => readSettings(definitions, env);
  expect(read).toThrow(SettingsError);
  try {
    read();
  } catch (error) {
    expect(error instanceof SettingsError && error.problems).toEqual([
      'PORT: expected a whole number from 0 to 65535, found "99999"',
      'MODE: expected one of always, everysec, found "never"',
      'DEV: expected true or false, found "maybe"',
      'REDIS: expected a URL that begins with redis:// or rediss://, found "http://x"',
      'SECRET: required, but not set (Signs tokens.)',
    ]);
  }
});

test.each(['', '1.5', '1e3', 'x', '0x10', ' 5', '-1', '9'.repeat(40)])('a port is not %j', (found) => {
  expect(integer({ min: 0 }).safeParse(found).success).toBe(false);
});

test('[RUN-14] a secret is shown neither in a listing nor in an error; nor is a password in a URL', () => {
  const strict = { ...definitions, SECRET: setting(integer(), undefined, 'Signs.', { secret: true }) };
  const rows = describeSettings(strict, good);
  const shown = JSON.stringify(rows);
  expect(shown).not.toContain('swordfish');
  expect(shown).not.toContain('hunter2');
  expect(shown).toContain('redis://:(hidden)@127.0.0.1:6379');
  expect(() => readSettings(strict, good)).toThrow('SECRET: expected a whole number, found a value that is not shown');
  expect(describeSettings(definitions, good).find((row) => row.name === 'SECRET')?.value).toBe('(hidden)');
  // Control: the same value of a setting that is no secret is shown.
  const open = { SECRET: setting(text(), undefined, 'Signs.') };
  expect(JSON.stringify(describeSettings(open, good))).toContain('swordfish');
});

test('a listing has every setting with its default, required ones too', () => {
  const rows = describeSettings(definitions, { REDIS: 'nonsense' });
  expect(rows.map((row) => [row.name, row.byDefault])).toEqual([
    ['PORT', '3000'],
    ['MODE', 'always'],
    ['DEV', 'false'],
    ['HOSTS', '[]'],
    ['REDIS', '(required)'],
    ['SECRET', '(required)'],
    ['ISSUER', '(none)'],
  ]);
  expect(rows.find((row) => row.name === 'REDIS')?.value).toContain('(bad) REDIS: expected');
});
