import type { Redis } from 'ioredis';

/**
 * To be called before a command is given to the connection: what one turn of the event loop gives it leaves in one write to the
 * socket, at the turn's end. ioredis writes each command by itself, which is a system call each; its own autopipelining makes pipelines,
 * which cost more than they save (docs/adr/0019).
 */
export function turnWrites(redis: Redis): () => void {
  let held = false;
  return () => {
    if (held) return;
    // A reconnect brings another one.
    const { stream } = redis;
    held = true;
    stream.cork();
    setImmediate(() => {
      held = false;
      stream.uncork();
    });
  };
}
