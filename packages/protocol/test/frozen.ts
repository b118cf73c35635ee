/** The hashes of the wire contract as clients in the field know it. */
export const FROZEN = {
  version: 1,
  schemas: {
  },
};
