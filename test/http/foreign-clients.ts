import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A request that every client sends in its own way. */
export interface ForeignRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Made in the client: so many bytes after `prefix`. */
  readonly body?: { readonly prefix: string; readonly bytes: number };
}

/** What a client saw. */
export interface ForeignReply {
  readonly status: number;
  readonly body: string;
}

export type ForeignClient = (request: ForeignRequest) => Promise<ForeignReply>;

const urllibScript = `
import json, sys, urllib.error, urllib.request
ask = json.loads(sys.argv[1])
body = ask.get('body')
data = None if body is None else body['prefix'].encode() + b'x' * body['bytes']
request = urllib.request.Request(ask['url'], data=data, headers=ask['headers'], method=ask['method'])
try:
    with urllib.request.urlopen(request, timeout=20) as reply:
        print(json.dumps({'status': reply.status, 'body': reply.read().decode()}))
except urllib.error.HTTPError as reply:
    print(json.dumps({'status': reply.code, 'body': reply.read().decode()}))
`;

/** Python's urllib: sends the whole body before it looks at the answer. */
export const askByUrllib: ForeignClient = async (request) => {
  const { stdout } = await run('python3', ['-c', urllibScript, JSON.stringify(request)]);
  return JSON.parse(stdout) as ForeignReply;
};

/** curl: asks for 100-continue before a large body, and reads while it sends. */
export const askByCurl: ForeignClient = async ({ url, method, headers, body }) => {
  const args = ['-sS', '-X', method, '-w', '\n%{http_code}', ...toHeaderArguments(headers)];
  if (body === undefined) return toCurlReply(await run('curl', [...args, url]));
  const pending = run('curl', [...args, '--data-binary', '@-', url]);
  pending.child.stdin?.on('error', () => {
    // curl stops reading its input once it has an answer.
  });
  pending.child.stdin?.end(toBytes(body));
  return toCurlReply(await pending);
};

/** Node's fetch. */
export const askByFetch: ForeignClient = async ({ url, method, headers, body }) => {
  const init = { method, headers, ...(body === undefined ? {} : { body: toBytes(body) }) };
  const reply = await fetch(url, init);
  return { status: reply.status, body: await reply.text() };
};

/** The clients that this machine has. */
export const foreignClients: ReadonlyMap<string, ForeignClient> = new Map([
  ['fetch', askByFetch],
  ...(hasCommand('python3') ? [['urllib', askByUrllib] as const] : []),
  ...(hasCommand('curl') ? [['curl', askByCurl] as const] : []),
]);

function hasCommand(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0;
}

function toBytes({ prefix, bytes }: { prefix: string; bytes: number }): Uint8Array<ArrayBuffer> {
  const start = new TextEncoder().encode(prefix);
  const all = new Uint8Array(start.length + bytes).fill(0x78);
  all.set(start);
  return all;
}

function toHeaderArguments(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
}

function toCurlReply({ stdout }: { stdout: string }): ForeignReply {
  const lastLine = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(lastLine + 1)), body: stdout.slice(0, lastLine) };
}
