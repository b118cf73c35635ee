/** Makes what the chart has from elsewhere: `node --conditions=@parley/source tools/chart-files.ts`. */
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GENERATED_FOLDERS, generatedFiles } from './chart/files.ts';

const files = generatedFiles('.');
for (const folder of GENERATED_FOLDERS) for (const path of globSync(`${folder}/*.*`)) rmSync(path);
for (const [path, text] of files) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
console.log(`${files.size} files of the chart written`);
