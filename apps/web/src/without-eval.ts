import * as z from 'zod/mini';

// Zod tries `new Function` to see whether it may: under our policy the browser reports that as a violation on every load.
z.config({ jitless: true });
