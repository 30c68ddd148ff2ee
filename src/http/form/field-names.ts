import { ServiceError } from '../../errors.ts';
import { quote } from './malformed-form.ts';

/** Names of the text fields and query parameters that the API reads. */
export const textFields = ['model', 'rules', 'policy', 'explain'] as const;

/** The form field that holds images. */
export const imageField = 'image';

/** A known text field. */
export type TextField = (typeof textFields)[number];

/** The values of each field, in order. */
export type FieldValues = Readonly<Record<TextField, readonly string[]>>;

/** Collects the values of every known text field. */
export function toFieldValues(read: (field: TextField) => readonly string[]): FieldValues {
  return { model: read('model'), rules: read('rules'), policy: read('policy'), explain: read('explain') };
}

/** Distinguishes known text fields from ignored ones. */
export function isTextField(name: string): name is TextField {
  return textFields.some((field) => field === name);
}

/**
 * Rejects a name that resembles a known one: if it were ignored, `models=strict` would be judged by the default model.
 * @throws {@link ServiceError} ERR_REQUEST_INVALID
 */
export function refuseMistaken(name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const meant = known.find((field) => toSkeleton(field) === toSkeleton(name));
  if (meant === undefined) return;
  throw new ServiceError('ERR_REQUEST_INVALID', `${quote(name)} is unknown; did you mean "${meant}"?`);
}

/** Strips case, plural, index, whitespace and punctuation from a name. */
function toSkeleton(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\[[^\]]*\]?/g, '')
    .replace(/[^\p{L}]/gu, '')
    .replace(/ies$/, 'y')
    .replace(/s$/, '');
}
