/** `npm run migrate`: brings the database to this version's schema. In a deployment it runs before the rollout. */
import { migrate } from '@parley/store';

const { DATABASE_URL: url, DATABASE_SCHEMA: schema } = process.env;
const say = (line: string) => process.stdout.write(`${line}\n`);

if (!url) {
  process.stderr.write('DATABASE_URL is not set, and no stack of `npm start` has left its own in .data/stack.env.\n');
  process.exit(1);
}
try {
  await migrate(url, { schema: schema || null, onApplied: (name) => say(`applied ${name}`) });
  say('the database has the schema of this version');
} catch (error) {
  process.stderr.write(
    `the database could not be migrated: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
}
