import { z } from 'zod';

/** Name of a profile or a policy; restricted because clients send it in a comma-separated query parameter. */
export const profileName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/i, 'must be letters, digits, - and _');
