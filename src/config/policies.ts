import { z } from 'zod';
import { profileName } from './profile-name.ts';

const score = z.number().min(0).max(1);
const thresholds = z.strictObject({ review: score.optional(), reject: score.optional() });

/** Sets of thresholds by the names of policy, model and label. */
export const policies = z.record(profileName, z.record(z.string().min(1), z.record(z.string().min(1), thresholds)));
