import { z } from 'zod';
import { profileName } from './profile-name.ts';

const side = z.int().min(1).max(1_000_000);
const aspect = z.number().min(0.0001).max(10_000);
const bounded = ['Width', 'Height', 'Aspect'] as const;

/** Requirements on the image header; sizes are after EXIF orientation, `aspect` is width / height. */
const profile = z
  .strictObject({
    minWidth: side.optional(),
    minHeight: side.optional(),
    maxWidth: side.optional(),
    maxHeight: side.optional(),
    minAspect: aspect.optional(),
    maxAspect: aspect.optional(),
    formats: z
      .array(z.enum(['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff', 'heic']))
      .min(1)
      .optional(),
    animated: z.boolean().optional(),
    /** Verdict on an image that breaks a rule. */
    verdict: z.enum(['review', 'reject']).default('reject'),
  })
  .superRefine((rules, context) => {
    for (const what of bounded) {
      const [min, max] = [rules[`min${what}`], rules[`max${what}`]];
      if (min === undefined || max === undefined || min <= max) continue;
      context.addIssue({ code: 'custom', path: [`min${what}`], message: `is above max${what}: no picture fits` });
    }
  });

/** Profiles of picture rules by name. */
export const pictureRules = z.record(profileName, profile);
