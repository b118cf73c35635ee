/**
 * `npm run doctor [-- --json]`: what is wrong with the set-up of the environment, or of the stack that `npm start` runs, and what to do.
 * It changes nothing. Exit code 0 when there is no fault, 1 when there is one; remarks are no faults.
 */
import { diagnose } from './doctor/diagnose.ts';

const findings = await diagnose(process.env);
const faults = findings.filter(({ level }) => level === 'fault').length;
if (process.argv.includes('--json')) console.log(JSON.stringify({ ok: faults === 0, findings }));
else {
  for (const { check, level, fault, cure } of findings)
    console.log(`${level}  ${check}: ${fault}\n       cure: ${cure}`);
  console.log(`${faults} faults, ${findings.length - faults} remarks`);
}
process.exitCode = faults === 0 ? 0 : 1;
