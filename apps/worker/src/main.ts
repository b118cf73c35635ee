import { createLog, SettingsError } from '@parley/runtime';
import { composeWorker } from './compose.ts';
import { readWorkerSettings, type WorkerSettings } from './settings.ts';

function settingsOrExit(): WorkerSettings {
  try {
    return readWorkerSettings(process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const settings = settingsOrExit();
const log = createLog({ name: 'worker', level: settings.LOG_LEVEL });
const worker = composeWorker(settings, log);

async function drain(reason: string): Promise<void> {
  log.info({ reason }, 'draining');
  try {
    await worker.stop();
    process.exit(0);
  } catch {
    // What did not end well is in the log.
    process.exit(1);
  }
}

process.once('SIGTERM', () => void drain('SIGTERM'));
process.once('SIGINT', () => void drain('SIGINT'));
// A parent that is gone can neither stop this process nor read what it says.
process.once('disconnect', () => void drain('the parent is gone'));
process.on('message', (message: unknown) => {
  const isDrain = typeof message === 'object' && message !== null && 'type' in message && message.type === 'drain';
  if (isDrain) void drain('asked by the parent');
});

if (await worker.run())
  process.stdout.write(`working on ${settings.LANES} ${settings.LANES === 1 ? 'lane' : 'lanes'}\n`);
