import { setTimeout as sleep } from 'node:timers/promises';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import type { WebSocket } from 'ws';
import type { Adapter } from './adapters.ts';
import { isRecord } from './is-record.ts';

type Send = (message: string) => void;
type Change = (message: string, send: Send, ws: WebSocket) => void;

/** The stock adapter, whose words are changed on their way out. */
function saying(name: string, change: Change): Adapter {
  return {
    name,
    apply(options) {
      options.wss.prependListener('connection', (ws) => {
        const send = ws.send.bind(ws);
        const sendText = (message: unknown) => {
          if (typeof message === 'string') change(message, (changed) => ws.readyState === ws.OPEN && send(changed), ws);
          else send(message as Buffer);
        };
        Object.assign(ws, { send: sendText });
      });
      return applyWSSHandler(options);
    },
  };
}

/** Changes answers that are results or errors; what else is said stays as it is. */
function answering(
  name: string,
  change: (answer: Record<string, unknown>, result: Record<string, unknown>) => unknown,
): Adapter {
  return saying(name, (message, send) => {
    if (!message.startsWith('{')) return send(message);
    const answer: unknown = JSON.parse(message);
    if (!isRecord(answer)) return send(message);
    const changed = change(answer, isRecord(answer.result) ? answer.result : {});
    if (changed !== undefined) send(JSON.stringify(changed));
  });
}

/** The stock adapter, to which its sockets tell something else. */
function hearing(name: string, change: (text: string) => string | undefined): Adapter {
  return {
    name,
    apply(options) {
      options.wss.prependListener('connection', (ws) => {
        const emit = ws.emit.bind(ws);
        const emitChanged = (event: string, ...args: unknown[]) => {
          if (event !== 'message' || args[1]) return emit(event, ...args);
          const text = change(String(args[0]));
          return text === undefined || emit(event, Buffer.from(text), false);
        };
        Object.assign(ws, { emit: emitChanged });
      });
      return applyWSSHandler(options);
    },
  };
}

function without<Options extends object>(options: Options, key: keyof Options): Options {
  const rest = { ...options };
  Reflect.deleteProperty(rest, key);
  return rest;
}

/** Adapters that are not quite the stock one. */
export const PLANTED: readonly Adapter[] = [
  answering('says no started', (answer, { type }) => (type === 'started' ? undefined : answer)),
  answering('says no stopped', (answer, { type }) => (type === 'stopped' ? undefined : answer)),
  answering('says stopped as complete', (answer, { type }) =>
    type === 'stopped' ? { ...answer, result: { type: 'complete' } } : answer,
  ),
  answering('leaves the ids of events out', (answer, { id, ...result }) =>
    id === undefined ? answer : { ...answer, result },
  ),
  answering('leaves the version of the protocol out', ({ jsonrpc: _, ...answer }) => answer),
  answering('makes texts of ids', (answer) => ({ ...answer, id: String(answer.id) })),
  answering('makes null of nothing', (answer, result) =>
    result.type === 'data' && !('data' in result) ? { ...answer, result: { ...result, data: null } } : answer,
  ),
  answering('tells all errors with one code', (answer) =>
    isRecord(answer.error) ? { ...answer, error: { ...answer.error, code: -32603 } } : answer,
  ),
  saying('answers pings late', (message, send) => {
    if (message === 'PONG') void sleep(20).then(() => send(message));
    else send(message);
  }),
  saying('says everything twice', (message, send) => {
    send(message);
    send(message);
  }),
  saying('closes after an error of no request', (message, send, ws) => {
    send(message);
    if (message.startsWith('{"id":null,"error"')) ws.close();
  }),
  saying('says the request to come anew otherwise', (message, send) => send(message.replace('"reconnect"', '"renew"'))),
  hearing('hears no pings', (text) => (text === 'PING' ? undefined : text)),
  hearing('hears no stops', (text) => (text.includes('subscription.stop') ? undefined : text)),
  hearing('hears no last event ids', (text) => text.replace(/,"lastEventId":"[^"]*"/, '')),
  hearing('hears no batches', (text) => (text.startsWith('[') && text !== '[]' ? '[]' : text)),
  {
    name: 'tells of no errors',
    apply: (options) => applyWSSHandler(without(options, 'onError')),
  },
  {
    name: 'takes batches of any size',
    apply: (options) => applyWSSHandler(without(options, 'maxBatchSize')),
  },
  {
    name: 'knows no prefix',
    apply: (options) => applyWSSHandler(without(options, 'prefix')),
  },
  {
    name: 'pings nobody',
    apply: (options) => applyWSSHandler(without(options, 'keepAlive')),
  },
  {
    name: 'says JSON only',
    apply: (options) => applyWSSHandler(without(options, 'experimental_encoder')),
  },
  {
    name: 'hands no parameters on',
    apply(options) {
      const { createContext } = options;
      const asked: typeof createContext = ({ info, ...rest }) =>
        createContext?.({ ...rest, info: { ...info, connectionParams: null } });
      return applyWSSHandler(Object.assign({ ...options }, { createContext: asked }));
    },
  },
  {
    name: 'does not see clients go',
    apply(options) {
      options.wss.prependListener('connection', (ws) => {
        const once = ws.once.bind(ws);
        Object.assign(ws, {
          once: (event: string, listener: () => void) => (event === 'close' ? ws : once(event, listener)),
        });
      });
      return applyWSSHandler(options);
    },
  },
];
