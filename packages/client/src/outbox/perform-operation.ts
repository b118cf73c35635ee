import type { Operation } from '@parley/protocol';
import type { ChatApi } from '../chat-api.ts';
import type { OutboxEntry, Standing } from './entry.ts';

/** Sends an operation once, by the procedure that it is for. What it throws is the call's own error. */
export function performOperation(api: ChatApi) {
  return async (entry: OutboxEntry, op: Operation, signal: AbortSignal): Promise<Standing> => {
    const { id, channelId, operation } = entry;
    const target = { channelId, op };
    switch (operation.kind) {
      case 'send':
        return api.call('message.send', { ...operation.draft, ...target, clientMsgId: id }, signal);
      case 'message.edit':
        return changed(await api.call(operation.kind, { ...operation.input, ...target }, signal));
      case 'message.delete':
        return changed(await api.call(operation.kind, { ...operation.input, ...target }, signal));
      case 'reaction.add':
      case 'reaction.remove':
        return api.call(operation.kind, { ...operation.input, ...target }, signal);
      case 'member.add':
        return api.call(operation.kind, { ...operation.input, ...target }, signal);
      case 'member.remove':
        return api.call(operation.kind, { ...operation.input, ...target }, signal);
      case 'member.setRole':
        return api.call(operation.kind, { ...operation.input, ...target }, signal);
      case 'member.silence':
        return api.call(operation.kind, { ...operation.input, ...target }, signal);
      case 'channel.update':
        return api.call(operation.kind, { ...operation.input, ...target }, signal);
      case 'channel.archive':
        return api.call(operation.kind, { ...operation.input, ...target }, signal);
      case 'channel.join':
      case 'channel.leave':
        return api.call(operation.kind, target, signal);
      case 'channel.invite': {
        // It is no entry of the log: what is answered is in Postgres.
        const { epoch } = await api.call(operation.kind, { ...operation.input, ...target }, signal);
        return { epoch, position: null, level: 'persisted' };
      }
    }
  };
}

/** The answer names the message that was changed, which is not one that was sent. */
function changed({ epoch, position, level }: Standing): Standing {
  return { epoch, position, level };
}
