import { Line } from './crowd/line.ts';
import type { ClientSpec } from './crowd/orders.ts';

/** Calls of one user over one WebSocket, one after the other. */
export class CallLine {
  readonly #line: Line;
  #lastId = 0;
  #waiting: { resolve: (text: string) => void; reject: (error: Error) => void } | undefined;

  private constructor({ port, token }: ClientSpec, onOpen: () => void) {
    this.#line = new Line({
      port,
      path: '/trpc?connectionParams=1',
      onOpen: () => {
        this.#line.send(JSON.stringify({ method: 'connectionParams', data: { token } }));
        onOpen();
      },
      onText: (bytes, start, end) => this.#hear(bytes.toString('utf8', start, end)),
      onEnd: (reason) => this.#waiting?.reject(new Error(reason)),
    });
  }

  static open(client: ClientSpec): Promise<CallLine> {
    return new Promise((resolve) => {
      const calls: CallLine = new CallLine(client, () => resolve(calls));
    });
  }

  /** The answer's data; rejects when the call fails. */
  async call(method: 'query' | 'mutation', path: string, input?: object): Promise<unknown> {
    const text = await new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#line.send(JSON.stringify({ id: ++this.#lastId, method, params: { path, input } }));
    });
    const answer = JSON.parse(text) as { result?: { data: unknown } };
    if (!answer.result) throw new Error(`${path}: ${text.slice(0, 500)}`);
    return answer.result.data;
  }

  close(): void {
    this.#waiting = undefined;
    this.#line.cut();
  }

  #hear(text: string): void {
    if (text === 'PING') this.#line.send('PONG');
    else this.#waiting?.resolve(text);
  }
}
