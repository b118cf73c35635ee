import { migrate } from '@parley/store';

const url = process.env.DATABASE_URL;
if (!url) {
  console.error('DATABASE_URL is not set, and no stack of `npm start` has left its own in .data/stack.env.');
  process.exit(1);
}
try {
  await migrate(url, {
    schema: process.env.DATABASE_SCHEMA ?? null,
    onApplied: (name) => console.log(`applied ${name}`),
  });
  console.log('the database has the schema of this version');
} catch (error) {
  console.error(`the database could not be migrated: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
