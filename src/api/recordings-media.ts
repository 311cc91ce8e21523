// A recording's sound over HTTP: WAV as it was recorded or mixed, MP3 made while it is read.
import { open } from 'node:fs/promises';
import type { RecordingFiles } from '../calls/index.ts';
import { encodeMp3, monoWav } from '../media/index.ts';
import { isSid, type Row, recording } from '../resources/index.ts';
import type { Store } from '../store/index.ts';
import { errors } from './errors.ts';
import type { Answer, ApiRequest, Content, Handler } from './route.ts';

export interface MediaDeps {
  readonly store: Store;
  readonly recordings: RecordingFiles;
}

/** MP3s that are made at a time, each with a thread of its own. */
const MAX_ENCODERS = 8;

/** Throws ApiError: 404 where there is no sound (yet, or any more), 400 for channels that it has not. */
export function soundHandler(deps: MediaDeps): Handler {
  const encoding = { count: 0 };
  return (request) => answer(deps, request, encoding);
}

/** How many MP3s are being made. */
interface Encoding {
  count: number;
}

async function answer(
  { store, recordings }: MediaDeps,
  request: ApiRequest,
  encoding: Encoding,
): Promise<Answer> {
  const [, sid = '', format = 'wav'] = /^([^.]*)(?:\.(wav|mp3))?$/.exec(request.params.Sid ?? '') ?? [];
  const row = isSid(sid, recording.sid) ? await store.find(recording, sid) : undefined;
  if (!row || row.accountSid !== request.account.sid || row.isDeleted) throw errors.notFound(request.path);
  if (row.status !== 'completed' && row.status !== 'failed') throw errors.noSound(sid, row.status);
  const file = { path: recordings.path(row), isMono: isMixed(row, request) };
  try {
    return await (format === 'mp3' ? mp3(file, encoding) : wav(file, request));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw errors.noSound(sid, 'lost: its file is not there');
    throw error;
  }
}

interface SoundFile {
  readonly path: string;
  /** Both channels are to be mixed. */
  readonly isMono: boolean;
}

/** Twilio: `RequestedChannels`; what was recorded, where it is not given. @throws {ApiError} */
function isMixed({ channels }: Row<typeof recording>, { query }: ApiRequest): boolean {
  const wanted = query.get('RequestedChannels')?.[0] ?? String(channels);
  if (wanted !== '1' && wanted !== '2') throw errors.invalid('RequestedChannels', 'must be 1 or 2');
  if (wanted === '2' && channels === 1) throw errors.onlyMono();
  return wanted === '1' && channels === 2;
}

async function mp3({ path, isMono }: SoundFile, encoding: Encoding): Promise<Answer> {
  await (await open(path, 'r')).close();
  if (encoding.count >= MAX_ENCODERS) throw errors.unavailable('Too many recordings are being encoded');
  encoding.count += 1;
  const stream = encodeMp3(path, { isMono });
  stream.once('close', () => {
    encoding.count -= 1;
  });
  return { status: 200, content: { type: 'audio/mpeg', headers: {}, stream } };
}

async function wav({ path, isMono }: SoundFile, request: ApiRequest): Promise<Answer> {
  if (!isMono) return wholeWav(path, request);
  const { bytes, stream } = await monoWav(path);
  return { status: 200, content: wavContent(stream, { 'Content-Length': bytes }) };
}

/** Parts of it too: players seek in long recordings. */
async function wholeWav(path: string, { range }: ApiRequest): Promise<Answer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const part = partOf(range, size);
    const { first, last } = part ?? { first: 0, last: size - 1 };
    const stream = file.createReadStream({ start: first, end: last });
    const headers = { 'Content-Length': last - first + 1, 'Accept-Ranges': 'bytes' };
    if (!part) return { status: 200, content: wavContent(stream, headers) };
    const place = { 'Content-Range': `bytes ${first}-${last}/${size}` };
    return { status: 206, content: wavContent(stream, { ...headers, ...place }) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const wavContent = (stream: Content['stream'], headers: Content['headers']): Content => ({
  type: 'audio/x-wav',
  headers,
  stream,
});

interface Part {
  readonly first: number;
  readonly last: number;
}

/** RFC 9110 §14.1.2: one range of bytes; several, and what is none, are answered with the whole. @throws {ApiError} 416 */
function partOf(range: string | undefined, size: number): Part | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const part =
    from === ''
      ? { first: Math.max(0, size - Number(to)), last: size - 1 }
      : { first: Number(from), last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  if (part.first >= size || part.last < part.first) throw errors.noSuchPart(size);
  return part;
}
