// Runs on the system's Node (18 or newer): plain JavaScript, node: imports only. Installs when package-lock.json changed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
// `npm ci` removes it with node_modules, so a cut install is never taken for a whole one.
const stamp = `${root}node_modules/.install-stamp`;
const lockFile = `${root}.data/install.pid`;

/** Resolves when node_modules fits package-lock.json; ends the process when it cannot be made to, or on Ctrl-C. */
export async function install() {
  if (read(stamp) === wanted()) return;
  let stopped = false;
  // npm gets the same Ctrl-C and cleans up for a while; leaving before it would let the next start meet a running install.
  const onStop = () => {
    stopped = true;
  };
  process.on('SIGINT', onStop);
  if (!(await lock(() => stopped))) process.exit(130);
  try {
    if (read(stamp) === wanted()) return;
    await installOnce(() => stopped);
  } finally {
    rmSync(lockFile, { force: true });
    process.off('SIGINT', onStop);
  }
  if (stopped || process.exitCode) process.exit(process.exitCode || 130);
}

async function installOnce(isStopped) {
  console.log('installing dependencies (npm ci), about 20 seconds …');
  const began = Date.now();
  let result = await npmCi();
  if (result.code !== 0 && !result.signal && !isStopped()) {
    rmSync(`${root}node_modules`, { recursive: true, force: true, maxRetries: 3 });
    result = await npmCi();
  }
  if (result.code !== 0) {
    process.exitCode = result.code ?? 1;
    return;
  }
  writeFileSync(stamp, wanted());
  console.log(`installed in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

function npmCi() {
  // Without its install script the package `node` has no binary, whatever the user's configuration says about scripts.
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts=false', '--include=dev'];
  const npm = process.env.npm_execpath; // Set by npm; absent when this file is run by hand.
  const child = npm
    ? spawn(process.execPath, [npm, ...args], { cwd: root, stdio: 'inherit' })
    : spawn('npm', args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  writeFileSync(lockFile, `${process.pid} ${child.pid ?? ''}`); // An npm that outlives this process still holds the lock.
  return new Promise((done) => {
    child.once('error', (error) => {
      console.error(`npm could not be run: ${error.message}`);
      done({ code: 1, signal: null });
    });
    child.once('exit', (code, signal) => done({ code, signal }));
  });
}

/** One install at a time in one clone; false when it was stopped while it waited. */
async function lock(isStopped) {
  mkdirSync(`${root}.data`, { recursive: true });
  for (let said = false; !isStopped(); await sleep(200)) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const pids = read(lockFile).split(' ').filter(Boolean).map(Number);
    const abandoned = pids.length > 0 ? !pids.some(isAlive) : ageMs(lockFile) > 5000;
    if (abandoned) rmSync(lockFile, { force: true });
    else if (!said) {
      console.log(`another process (${pids.join(', ')}) is installing; waiting`);
      said = true;
    }
  }
  return false;
}

function wanted() {
  const lockText = read(`${root}package-lock.json`);
  return createHash('sha256').update(`${lockText}${process.platform}${process.arch}`).digest('hex');
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // Not there yet: reads as empty, which fits nothing.
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0; // Gone meanwhile: the next round sees it.
  }
}
