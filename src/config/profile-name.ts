import { z } from 'zod';

/** What operators name profiles and policies: clients write it into a query, where commas separate names. */
export const profileName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/i, 'must be letters, digits, - and _');
