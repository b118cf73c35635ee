/** Where attachments live. */
export const filesSettings = {};
