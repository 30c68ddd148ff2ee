/** An unvalidated object from a model's JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value of a model's JSON is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value if it is an object, else an empty object. */
export function toObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The value if it is an array, else an empty array. */
export function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
