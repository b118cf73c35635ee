import { createServer } from 'node:net';

/** Rejects, in words for the user, when somebody listens on the port: the apps' threads share theirs, and would share it with him. */
export async function checkPort(port: number, host = '127.0.0.1'): Promise<void> {
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject);
      probe.listen({ port, host }, resolve);
    });
    await new Promise((resolve) => probe.close(resolve));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') throw new Error(`port ${port} is taken: choose another one, as in PORT=3100 npm start`);
    if (code === 'EACCES')
      throw new Error(`port ${port} is not for this user: choose another one, as in PORT=3100 npm start`);
    throw error;
  }
}
