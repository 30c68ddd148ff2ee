import { ServiceError } from '../../errors.ts';
import { quote } from './malformed-form.ts';

/** The text fields of a form, and the parameters of a query, that mean something. */
export const textFields = ['model', 'rules', 'policy', 'explain'] as const;

/** The field that images come in. */
export const imageField = 'image';

/** A text field that is read. */
export type TextField = (typeof textFields)[number];

/** The values of each, in their order. */
export type FieldValues = Readonly<Record<TextField, readonly string[]>>;

/** Reads the values of every text field that means something. */
export function toFieldValues(read: (field: TextField) => readonly string[]): FieldValues {
  return { model: read('model'), rules: read('rules'), policy: read('policy'), explain: read('explain') };
}

/** Tells the text fields that are read from those that are ignored. */
export function isTextField(name: string): name is TextField {
  return textFields.some((field) => field === name);
}

/**
 * Refuses a name that a client took for one of ours: ignored, `models=strict` would be judged by the default model.
 * @throws {@link ServiceError} ERR_REQUEST_INVALID
 */
export function refuseMistaken(name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const meant = known.find((field) => toSkeleton(field) === toSkeleton(name));
  if (meant === undefined) return;
  throw new ServiceError('ERR_REQUEST_INVALID', `${quote(name)} is unknown; did you mean "${meant}"?`);
}

/** What is left of a name without case, plural, index, whitespace and punctuation. */
function toSkeleton(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\[[^\]]*\]?/g, '')
    .replace(/[^\p{L}]/gu, '')
    .replace(/ies$/, 'y')
    .replace(/s$/, '');
}
