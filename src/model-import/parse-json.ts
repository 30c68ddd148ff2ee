import { toMessage } from '../errors.ts';

/** Parses a JSON file. @throws Error that names the file if it is not JSON */
export function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new Error(`${file}: is not JSON: ${toMessage(thrown)}`, { cause: thrown });
  }
}
