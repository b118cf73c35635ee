/**
 * `npm run load -- performance`: real users of the typed client against a stack of this machine, or a given one. Writes one page with plots
 * and the promises in green or red, and the same as JSON. Exit code 0 when every promise was kept, 1 when one was broken, 2 when it could not run.
 */
import { artilleryProblem } from './load/artillery.ts';
import { descriptorProblem, openFilesHere } from './load/descriptors.ts';
import { type Options, parseOptions, USAGE } from './load/options.ts';
import { isBroken } from './load/promises.ts';
import { connectionsOf, readScenario, scale } from './load/scenario.ts';

const say = (line: string) => console.log(line);

async function main(options: Options): Promise<number> {
  const missing = artilleryProblem();
  if (missing) return refuse(missing);
  const file = readScenario(options.scenario);
  const scenario = scale(options.scenario, file, options);
  const connections = options.connections ?? connectionsOf(options.scenario, file);
  const tooFew = descriptorProblem(scenario.variables.users, openFilesHere());
  if (tooFew) return refuse(tooFew);
  // Stores and servers are loaded only when there is a run to make: a slip of the pen is answered at once.
  const { run } = await import('./load/run.ts');
  const report = await run({ options, scenario, connections, say });
  for (const { state, promise, measured } of report.verdicts) say(`${state.padEnd(8)}${promise}: ${measured}`);
  for (const warning of report.warnings) say(warning);
  return isBroken(report.verdicts) ? 1 : 0;
}

function refuse(why: string): number {
  console.error(why);
  return 2;
}

let options: Options | undefined;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  process.exitCode = refuse(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
}
if (options) {
  try {
    process.exitCode = await main(options);
  } catch (error) {
    process.exitCode = refuse(`the run could not be made: ${error instanceof Error ? error.message : String(error)}`);
  }
}
