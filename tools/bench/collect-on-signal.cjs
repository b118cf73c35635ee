// Loaded before a measured program (`NODE_OPTIONS=--require=…`): on SIGUSR2 every thread of it collects its garbage and gives the memory
// back, so that what is left is in use. A signal reaches the main thread alone; the others hear of it by a channel.
const { isMainThread, threadId, BroadcastChannel } = require('node:worker_threads');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
// The usual kind keeps freed pages for later, which are then taken for memory in use.
const collect = () => {
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write(`thread ${threadId} has collected, ${heapUsed + external} bytes in use\n`);
};
const channel = new BroadcastChannel('parley-bench-collect');
channel.onmessage = collect;
channel.unref();
if (isMainThread) {
  process.on('SIGUSR2', () => {
    channel.postMessage(null);
    collect();
  });
}
