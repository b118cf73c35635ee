/** Ids that are functions of what they name: the same operation, resent to any node in any epoch, gets the same ones. */
export interface OperationIds {
  message(channelId: string, senderId: string, clientMsgId: string): string;
  /** One operation may change several members: each change is deduplicated by itself. */
  memberChange(operationId: string, userId: string): string;
  /** For an operation that the caller did not name: it cannot be repeated safely. */
  fresh(): string;
}
