import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** One line of a Dockerfile, with its continuations. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** What lies between one FROM and the next. */
export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** A stage that was built: the folder that stands for its `/`, and what it says of its process. */
export interface Built {
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
}

/** The stages of a Dockerfile, in order. */
export function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', text = ''] = line.match(/^(\w+)\s+(.*)$/) ?? [];
    if (name === 'FROM') {
      const [, base = '', , stage = `${stages.length}`] = text.match(/^(\S+)(\s+AS\s+(\S+))?$/) ?? [];
      stages.push({ name: stage, base, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push({ name, text });
    }
  }
  return stages;
}

interface BuildOptions {
  readonly stages: readonly Stage[];
  /** The folder that `COPY` without `--from` takes from. */
  readonly context: string;
  /** Where the stages' folders are made. */
  readonly into: string;
  /** What `RUN` has besides the stage's own ENV. */
  readonly env: Readonly<Record<string, string>>;
  /** Stages that were built already, by all that made them: the same instructions are not carried out again. */
  readonly cache: Map<string, Built>;
}

/** Carries out a Dockerfile without a container: each stage in a folder of its own. The last stage is the image. */
export function buildImage(options: BuildOptions): Built {
  const made = new Map<string, { key: string; built: Built }>();
  let last: Built | undefined;
  for (const stage of options.stages) {
    const sources = stage.instructions.map(({ text }) => made.get(sourceOf(text) ?? '')?.key ?? '');
    const key = JSON.stringify([stage.base, stage.instructions, sources]);
    const built = options.cache.get(key) ?? buildStage(stage, options, (name) => made.get(name)?.built);
    options.cache.set(key, built);
    made.set(stage.name, { key, built });
    last = built;
  }
  if (!last) throw new Error('a Dockerfile without a stage');
  return last;
}

const sourceOf = (text: string) => text.match(/^--from=(\S+)/)?.[1];

function buildStage(stage: Stage, options: BuildOptions, stageOf: (name: string) => Built | undefined): Built {
  const root = join(options.into, `${options.cache.size}-${stage.name}`);
  mkdirSync(root, { recursive: true });
  chmodSync(root, 0o755);
  const env: Record<string, string> = {};
  let workdir = root;
  let cmd: readonly string[] = [];
  let healthcheck: readonly string[] = [];
  for (const { name, text } of stage.instructions) {
    if (name === 'WORKDIR') {
      workdir = join(root, text);
      mkdirSync(workdir, { recursive: true });
    } else if (name === 'ENV') {
      for (const pair of text.split(' ')) env[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1);
    } else if (name === 'COPY') {
      const from = sourceOf(text);
      const source = from === undefined ? options.context : stageOf(from)?.root;
      if (source === undefined) throw new Error(`there is no stage ${from}`);
      copy(text.replaceAll(/--\S+\s+/g, '').split(/\s+/), { source, root, workdir });
    } else if (name === 'RUN') {
      carryOut(text, workdir, { ...options.env, ...env });
    } else if (name === 'CMD') {
      cmd = execForm(text);
    } else if (name === 'HEALTHCHECK') {
      healthcheck = execForm(text.replace(/^.*?CMD\s+/, ''));
    } else if (!['USER', 'EXPOSE'].includes(name)) {
      throw new Error(`${name}: not known here`);
    }
  }
  return { root, workdir, env, cmd, healthcheck };
}

function copy(paths: readonly string[], at: { source: string; root: string; workdir: string }): void {
  const to = paths.at(-1) ?? '.';
  const target = isAbsolute(to) ? join(at.root, to) : join(at.workdir, to);
  for (const path of paths.slice(0, -1)) {
    const isFile = /\.\w+$/.test(path) && path !== '.';
    const options = { recursive: true, verbatimSymlinks: true };
    cpSync(join(at.source, path), isFile ? join(target, path.replace(/^.*\//, '')) : target, options);
  }
}

/** Runs as it stands there. What is named by its place in an image would be somewhere else here. */
function carryOut(command: string, cwd: string, env: Readonly<Record<string, string>>): void {
  if (/(^|\s)\//.test(command)) throw new Error(`RUN with an absolute path: ${command}`);
  execFileSync('/bin/sh', ['-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 });
}

/** Where there is no shell nothing else can be run. */
function execForm(text: string): string[] {
  const words: unknown = JSON.parse(text);
  if (!Array.isArray(words)) throw new Error(`not in exec form: ${text}`);
  return words.map(String);
}
