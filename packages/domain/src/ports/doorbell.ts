/** Wakes a worker for a partition. Not awaited, throttled, may be lost: a timer in every worker covers that. */
export interface Doorbell {
  ring(partition: number): void;
}
