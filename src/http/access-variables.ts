import type { AccessRecord } from './access-record.ts';

/** Constant fields of a worker's access log. */
export interface WorkerFacts {
  readonly slot: number;
  readonly pid: number;
}

type Variable = (record: AccessRecord, worker: WorkerFacts) => string | number | undefined;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const mebibyte = 2 ** 20;
const none: Variable = () => undefined;
const zero: Variable = () => 0;

/** uWSGI's log variables by name; numeric ones that do not apply here are 0. */
export const accessVariables: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ['uri', ({ uri }) => uri],
  ['method', ({ method }) => method],
  ['user', none],
  ['addr', ({ clientAddress }) => toPlainAddress(clientAddress)],
  ['host', ({ requestHeaders }) => requestHeaders.host],
  ['proto', ({ protocol }) => protocol],
  ['uagent', ({ requestHeaders }) => requestHeaders['user-agent']],
  ['referer', ({ requestHeaders }) => requestHeaders.referer],
  ['status', ({ status }) => status],
  ['rsize', ({ bodyBytes }) => bodyBytes],
  ['hsize', ({ headerBytes }) => headerBytes],
  ['size', ({ bodyBytes, headerBytes }) => bodyBytes + headerBytes],
  ['cl', ({ requestHeaders }) => requestHeaders['content-length'] ?? 0],
  ['micros', ({ durationMs }) => Math.round(durationMs * 1000)],
  ['msecs', ({ durationMs }) => Math.round(durationMs)],
  ['secs', ({ durationMs }) => (durationMs / 1000).toFixed(6).slice(0, 10)],
  ['time', ({ startedAtEpochMs }) => Math.floor(startedAtEpochMs / 1000)],
  ['tmsecs', ({ startedAtEpochMs }) => startedAtEpochMs],
  ['tmicros', ({ startedAtEpochMs }) => startedAtEpochMs * 1000],
  ['epoch', () => Math.floor(Date.now() / 1000)],
  ['ltime', ({ startedAtEpochMs }) => toLogTime(new Date(startedAtEpochMs))],
  ['ftime', ({ startedAtEpochMs }) => toLogTime(new Date(startedAtEpochMs))],
  ['ctime', ({ startedAtEpochMs }) => toCTime(new Date(startedAtEpochMs))],
  ['pid', (_record, { pid }) => pid],
  ['wid', (_record, { slot }) => slot],
  ['core', zero],
  ['switches', zero],
  ['vars', ({ requestHeaderCount }) => requestHeaderCount],
  ['pktsize', zero],
  ['modifier1', zero],
  ['modifier2', zero],
  ['headers', ({ headerCount }) => headerCount],
  ['vsz', zero],
  ['vszM', zero],
  ['rss', () => process.memoryUsage.rss()],
  ['rssM', () => Math.floor(process.memoryUsage.rss() / mebibyte)],
  ['rerr', zero],
  ['werr', zero],
  ['ioerr', zero],
]);

/** A CGI variable (`%(var.HTTP_X_REQUEST_ID)`) of a request. */
export function toCgiVariable(record: AccessRecord, name: string): string | number | undefined {
  if (name.startsWith('HTTP_')) return toHeader(record, name.slice('HTTP_'.length));
  const [path, ...query] = record.uri?.split('?') ?? [];
  switch (name) {
    case 'CONTENT_LENGTH':
    case 'CONTENT_TYPE':
      return toHeader(record, name);
    case 'PATH_INFO':
      return path;
    case 'QUERY_STRING':
      return query.join('?');
    case 'REMOTE_ADDR':
      return toPlainAddress(record.clientAddress);
    case 'REMOTE_PORT':
      return record.clientPort;
    case 'REQUEST_METHOD':
      return record.method;
    case 'REQUEST_URI':
      return record.uri;
    case 'SERVER_PROTOCOL':
      return record.protocol;
    default:
      return undefined;
  }
}

function toHeader({ requestHeaders }: AccessRecord, cgiName: string): string | undefined {
  const value = requestHeaders[cgiName.toLowerCase().replaceAll('_', '-')];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** An IPv4 client of a socket listening on `::` has an address like `::ffff:192.0.2.1`. */
function toPlainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/, '');
}

/** `23/Nov/2026:03:45:00 +0000`, in local time. */
function toLogTime(date: Date): string {
  const day = `${toTwoDigits(date.getDate())}/${months[date.getMonth()] ?? ''}/${String(date.getFullYear())}`;
  const offset = -date.getTimezoneOffset();
  const hours = toTwoDigits(Math.floor(Math.abs(offset) / 60));
  return `${day}:${toClock(date)} ${offset < 0 ? '-' : '+'}${hours}${toTwoDigits(Math.abs(offset) % 60)}`;
}

/** `Mon Nov 23 03:45:00 2026`, in local time, always 24 characters. */
function toCTime(date: Date): string {
  const day = String(date.getDate()).padStart(2);
  return `${days[date.getDay()] ?? ''} ${months[date.getMonth()] ?? ''} ${day} ${toClock(date)} ${String(date.getFullYear())}`;
}

function toClock(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(toTwoDigits).join(':');
}

function toTwoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
