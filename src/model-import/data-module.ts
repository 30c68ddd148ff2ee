/** All tokens of minified data except strings. */
const token = /\s+|[{}[\],:]|!0|!1|void 0|[A-Za-z_$][\w$]*|-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy;

const words: Readonly<Record<string, string>> = {
  ...{ '!0': 'true', '!1': 'false', 'void 0': 'null' },
  ...{ true: 'true', false: 'false', null: 'null' },
};

/**
 * Parses the data exported by a CommonJS module without running it.
 * @param text minified or not, of the form `… .exports = <object, array or string> …`
 * @throws Error if it exports anything but data
 */
export function readDataModule(text: string): unknown {
  const start = /\.exports\s*=\s*(?=[{["'])/.exec(text);
  if (!start) throw new Error('exports no data');
  return JSON.parse(toJson(text, start.index + start[0].length)) as unknown;
}

/** Converts the literal that starts at `from`. */
function toJson(text: string, from: number): string {
  const parts: string[] = [];
  let at = from;
  let depth = 0;
  do {
    const part = isQuote(text[at]) ? readString(text, at) : readToken(text, at);
    if (part.json === '{' || part.json === '[') depth += 1;
    if (part.json === '}' || part.json === ']') depth -= 1;
    parts.push(part.json);
    at = part.end;
  } while (depth > 0);
  return parts.join('');
}

interface Part {
  readonly json: string;
  readonly end: number;
}

function readToken(text: string, at: number): Part {
  token.lastIndex = at;
  const [found] = token.exec(text) ?? [];
  if (found === undefined) throw new Error(`exports more than data: ${text.slice(at, at + 20)}`);
  const end = at + found.length;
  if (/^[\s{}[\],:]/.test(found)) return { json: found.trim(), end };
  if (/^\s*:/.test(text.slice(end, end + 10))) return { json: JSON.stringify(found), end };
  const word = words[found];
  if (word !== undefined) return { json: word, end };
  const number = Number(found);
  if (Number.isFinite(number)) return { json: JSON.stringify(number), end };
  throw new Error(`exports more than data: ${found.slice(0, 20)}`);
}

/** Searches instead of matching, as weights are strings of megabytes. */
function readString(text: string, at: number): Part {
  const quote = text[at] ?? '';
  let end = text.indexOf(quote, at + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf(quote, end + 1);
  if (end === -1) throw new Error('ends inside a string');
  const content = text.slice(at + 1, end);
  const json = quote === '"' ? content : content.replaceAll("\\'", "'").replaceAll('"', '\\"');
  return { json: `"${json}"`, end: end + 1 };
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text[first - 1] === '\\') first -= 1;
  return (at - first) % 2 === 1;
}

function isQuote(character: string | undefined): boolean {
  return character === '"' || character === "'";
}
