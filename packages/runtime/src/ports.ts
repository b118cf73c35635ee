import { createServer, type Server } from 'node:net';

interface PortRequest {
  /** 0 lets the system choose one. */
  readonly port: number;
  readonly host: string;
  /** How the operator chooses another port, for the error text: the setting's name. */
  readonly setting?: string;
}

interface ReservedPort {
  readonly port: number;
  /** Whether several threads can listen on it. If not, one thread must do. */
  readonly shareable: boolean;
}

/**
 * Makes sure that nobody else listens on the port, and names the port when the system was to choose. It binds once without `reusePort`:
 * with it, two stacks would share one port unseen, each with half of the users. The port is free again when this resolves.
 */
export async function reservePort(request: PortRequest): Promise<ReservedPort> {
  const server = createServer();
  try {
    const port = await listen(server, { port: request.port, host: request.host });
    await close(server);
    return { port, shareable: await canShare(request.host) };
  } catch (error) {
    throw explained(error, request);
  }
}

async function canShare(host: string): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, { port: 0, host, reusePort: true });
    await close(server);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOTSUP') return false;
    throw error;
  }
}

function explained(error: unknown, { port, host, setting = 'PORT' }: PortRequest): unknown {
  const where = `port ${port} of ${host}`;
  const advice = `set ${setting} to another port`;
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new Error(`${where} is taken: stop what listens there, or ${advice}`, { cause: error });
    case 'EACCES':
      return new Error(`${where} may not be used by this user: ${advice}, 1024 or higher`, { cause: error });
    case 'EADDRNOTAVAIL':
      return new Error(`${host} is no address of this machine: set HOST to one that is`, { cause: error });
    default:
      return error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function listen(server: Server, options: { port: number; host: string; reusePort?: boolean }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : options.port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
  });
}
