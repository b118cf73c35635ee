// Copies what `tsc` leaves behind (Lua, SQL, a configuration) from src to dist, in the package it is run from.
import { cpSync, globSync } from 'node:fs';

for (const file of globSync('src/**/*.{lua,sql,cfg}')) cpSync(file, file.replace(/^src/, 'dist'));
