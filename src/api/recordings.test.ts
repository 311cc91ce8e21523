// Recordings over HTTP: lists, deletion, and their sound; test/e2e/recordings.test.ts records real calls.
import { once } from 'node:events';
import { existsSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type ApiServer, OWNER, STRANGER, startApi } from '../../test/support/api-server.ts';
import { basic } from '../../test/support/twilio-client.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { auditEvent, newRow, type Row, recording } from '../resources/index.ts';

type Recording = Row<typeof recording>;

const world = { clock: systemClock, random: systemRandom() };
const ACCOUNT = `/2010-04-01/Accounts/${OWNER.sid}`;

const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    ({ status, code }: Record<string, unknown>) => ({ status, code }),
  );

/** A recording of a call; its left channel is all 1000, its right one all 300. */
async function recorded({ client, store, recordings }: ApiServer, values: Partial<Recording> = {}) {
  const { sid: callSid } = await client.calls.create({
    to: 'sip:a.example',
    from: 'a',
    twiml: '<Response/>',
  });
  // The one that comes with the call is none of ours.
  for (const { sid } of await client.calls(callSid).recordings.list()) await store.remove(recording, sid);
  const given = {
    accountSid: OWNER.sid,
    callSid,
    source: 'DialVerb',
    channels: 2,
    status: 'completed',
    ...values,
  };
  const row = newRow(recording, given as never, world);
  await store.insert(recording, row);
  writeFileSync(recordings.prepare(row), wav(row.channels, 4000));
  return row;
}

function wav(channels: number, frames: number): Buffer {
  const bytes = Buffer.alloc(44 + frames * channels * 2);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  const format = [16, 1 + channels * 65_536, 8000, 16_000 * channels, channels * 2 + 16 * 65_536];
  for (const [at, value] of format.entries()) bytes.writeUInt32LE(value, 16 + at * 4);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(bytes.length - 44, 40);
  for (let at = 0; at < frames * channels; at++)
    bytes.writeInt16LE(channels === 2 && at % 2 === 1 ? 300 : 1000, 44 + at * 2);
  return bytes;
}

const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

describe('the sound of a recording', () => {
  it('is its file, with its length, whole and in parts', async () => {
    const api = await startApi();
    const { sid } = await recorded(api);
    const path = `${ACCOUNT}/Recordings/${sid}`;
    const file = wav(2, 4000);
    for (const suffix of ['', '.wav', '?RequestedChannels=2']) {
      const response = await api.ask(path + suffix);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('audio/x-wav');
      expect(response.headers.get('content-length')).toBe(String(file.length));
      expect((await bytesOf(response)).equals(file)).toBe(true);
    }
    const part = async (range: string) => {
      const response = await api.ask(path, { headers: { range } });
      const { status, headers } = response;
      return { status, place: headers.get('content-range'), bytes: (await bytesOf(response)).length };
    };
    const size = file.length;
    expect(await part('bytes=0-43')).toEqual({ status: 206, place: `bytes 0-43/${size}`, bytes: 44 });
    expect(await part('bytes=16000-')).toEqual({
      status: 206,
      place: `bytes 16000-${size - 1}/${size}`,
      bytes: size - 16_000,
    });
    expect(await part('bytes=-10')).toMatchObject({
      place: `bytes ${size - 10}-${size - 1}/${size}`,
      bytes: 10,
    });
    expect(await part('bytes=10-999999999')).toMatchObject({ status: 206, bytes: size - 10 });
    for (const whole of ['bytes=5-1', 'bytes=0-1,4-5', 'seconds=1-2', 'bytes=-'])
      expect(await part(whole)).toEqual({ status: 200, place: null, bytes: size });
    expect(await part(`bytes=${size}-`)).toMatchObject({ status: 416, place: `bytes */${size}` });
    expect(await part('bytes=-0')).toMatchObject({ status: 416 });
  });

  it('is mixed where one channel is asked for, and has no second one where one was recorded', async () => {
    const api = await startApi();
    const [dual, mono] = [await recorded(api), await recorded(api, { channels: 1 })];
    const ask = (sid: string, query: string) => api.ask(`${ACCOUNT}/Recordings/${sid}${query}`);
    const mixed = await ask(dual.sid, '.wav?RequestedChannels=1');
    expect(mixed.headers.get('content-length')).toBe(String(44 + 8000));
    const bytes = await bytesOf(mixed);
    expect([bytes.length, bytes.readUInt16LE(22), bytes.readUInt32LE(40)]).toEqual([8044, 1, 8000]);
    const samples = new Set(Array.from({ length: 4000 }, (_, at) => bytes.readInt16LE(44 + at * 2)));
    expect(samples).toEqual(new Set([1300]));
    expect((await ask(mono.sid, '?RequestedChannels=1')).status).toBe(200);
    const none = await ask(mono.sid, '.mp3?RequestedChannels=2');
    expect([none.status, ((await none.json()) as { code: number }).code]).toEqual([400, 16113]);
    expect((await ask(dual.sid, '?RequestedChannels=3')).status).toBe(400);
  });

  it('is MP3 where that is asked for, of as many channels', async () => {
    const api = await startApi();
    const { sid } = await recorded(api);
    const frames = async (query: string) => {
      const response = await api.ask(`${ACCOUNT}/Recordings/${sid}.mp3${query}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'audio/mpeg']);
      return bytesOf(response);
    };
    // The channel mode of the first frame: 3 is mono.
    const modes = [await frames(''), await frames('?RequestedChannels=1')].map((mp3) => {
      expect(mp3.readUInt16BE(0) >> 5).toBe(0x7ff);
      return ((mp3[3] as number) >> 6) & 3;
    });
    expect([modes[0] === 3, modes[1] === 3]).toEqual([false, true]);
  });

  it('is for its account alone, or open where the operator says so', async () => {
    for (const publicRecordings of [false, true]) {
      const api = await startApi({ publicRecordings });
      const { sid } = await recorded(api);
      const status = async (path: string, headers: Record<string, string> = {}) =>
        fetch(api.url + path, { headers }).then(async (response) => {
          await response.arrayBuffer();
          return response.status;
        });
      const path = `${ACCOUNT}/Recordings/${sid}`;
      const stranger = { authorization: basic(STRANGER.sid, STRANGER.token) };
      expect(await status(`${path}.mp3`)).toBe(publicRecordings ? 200 : 401);
      expect(await status(path)).toBe(publicRecordings ? 200 : 401);
      expect(await status(path, stranger)).toBe(401);
      expect(await status(path.replace(OWNER.sid, STRANGER.sid), stranger)).toBe(404);
      expect(await status(path.replace(OWNER.sid, STRANGER.sid))).toBe(publicRecordings ? 404 : 401);
      expect(await status(`/2010-04-01/Accounts/AC${'3'.repeat(32)}/Recordings/${sid}`)).toBe(401);
      // What is known of it never is.
      expect(await status(`${path}.json`)).toBe(401);
      expect(await status(`${ACCOUNT}/Recordings.json`)).toBe(401);
    }
  });

  it('is not there before it is complete, nor where its file is lost, nor anywhere else', async () => {
    const api = await startApi();
    const message = async (path: string) => {
      const response = await api.ask(`${ACCOUNT}/Recordings/${path}`);
      return [response.status, ((await response.json()) as { message: string }).message];
    };
    for (const status of ['in-progress', 'paused', 'absent'] as const) {
      const { sid } = await recorded(api, { status });
      expect(await message(sid)).toEqual([
        404,
        `There is nothing to hear of ${sid}: the recording is ${status}`,
      ]);
    }
    const lost = await recorded(api);
    await api.recordings.remove(lost);
    for (const suffix of ['', '.mp3', '?RequestedChannels=1'])
      expect(await message(lost.sid + suffix)).toEqual([
        404,
        expect.stringContaining('its file is not there'),
      ]);
    const { sid } = await recorded(api, { status: 'failed' });
    expect((await api.ask(`${ACCOUNT}/Recordings/${sid}`)).status).toBe(200);
    for (const path of [`${sid}.ogg`, `${sid}.wav.wav`, '..%2f..%2fkey', `${sid}%00.wav`, `..%2f${sid}.wav`])
      expect((await message(path))[0]).toBe(404);
    const written = await api.ask(`${ACCOUNT}/Recordings/${sid}.wav`, {
      method: 'POST',
      body: new URLSearchParams(),
    });
    expect([written.status, written.headers.get('allow')]).toEqual([405, 'GET']);
  });
});

describe('a download that nobody reads', () => {
  /** Asks, and reads no more than the head. */
  async function stalled(api: ApiServer): Promise<Socket> {
    const row = await recorded(api);
    truncateSync(api.recordings.path(row), 64 * 1024 * 1024);
    const socket = connect(api.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const authorization = basic(OWNER.sid, OWNER.token);
    socket.write(
      `GET ${ACCOUNT}/Recordings/${row.sid}.wav HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\n\r\n`,
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    socket.pause();
    expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
    return socket;
  }

  const closed = (socket: Socket) => {
    socket.resume();
    return once(socket, 'close');
  };

  it('does not hold up the end of the API', async () => {
    const api = await startApi();
    const socket = await stalled(api);
    await api.server.close();
    await closed(socket);
  });

  it('is cut off', async () => {
    const api = await startApi({ stalledMs: 100 });
    const socket = await stalled(api);
    await vi.waitFor(async () => {
      const connections = await new Promise((resolve) =>
        api.server.server.getConnections((_, count) => resolve(count)),
      );
      expect(connections).toBe(0);
    }, 15_000);
    await closed(socket);
  });
});

describe('recordings by the official client', () => {
  it('are listed by call and date, and lead to their sound', async () => {
    const api = await startApi();
    const day = (text: string) => ({ dateCreated: Date.parse(text) });
    const old = await recorded(api, day('2026-01-05T10:00:00Z'));
    const latest = await recorded(api, day('2026-02-05T10:00:00Z'));
    const sids = async (options: object) => (await api.client.recordings.list(options)).map(({ sid }) => sid);
    expect(await sids({})).toEqual([latest.sid, old.sid]);
    expect(await sids({ callSid: old.callSid })).toEqual([old.sid]);
    expect(await sids({ dateCreated: new Date('2026-01-05T10:00:00Z') })).toEqual([old.sid]);
    const ofDay = await api.ask(`${ACCOUNT}/Recordings.json?DateCreated=2026-01-05`);
    expect(await ofDay.json()).toMatchObject({ recordings: [{ sid: old.sid }] });
    expect(await sids({ dateCreatedBefore: new Date('2026-01-20') })).toEqual([old.sid]);
    expect(await sids({ dateCreatedAfter: new Date('2026-01-20') })).toEqual([latest.sid]);
    expect(await sids({ conferenceSid: `CF${'1'.repeat(32)}` })).toEqual([]);
    const fetched = await api.client.recordings(old.sid).fetch();
    expect(fetched).toMatchObject({
      mediaUrl: `${api.url}${ACCOUNT}/Recordings/${old.sid}`,
      source: 'DialVerb',
      channels: 2,
      price: null,
      encryptionDetails: null,
    });
    expect((await api.ask(fetched.mediaUrl.slice(api.url.length))).status).toBe(200);
    const call = await api.client.calls(old.callSid).fetch();
    const listed = (await (await api.ask(call.subresourceUris.recordings ?? '')).json()) as {
      recordings: object[];
    };
    expect(listed.recordings).toMatchObject([{ sid: old.sid, track: 'both' }]);
    expect(await refused(api.client.calls(latest.callSid).recordings(old.sid).fetch())).toEqual({
      status: 404,
      code: 20404,
    });
  });

  it('are deleted with their sound, and stay for those who ask for deleted ones', async () => {
    const api = await startApi();
    const [one, other] = [await recorded(api), await recorded(api)];
    expect(await api.client.recordings(one.sid).remove()).toBe(true);
    expect(await api.client.calls(other.callSid).recordings(other.sid).remove()).toBe(true);
    for (const row of [one, other]) {
      const { sid, callSid } = row;
      expect(existsSync(api.recordings.path(row))).toBe(false);
      expect((await api.ask(`${ACCOUNT}/Recordings/${sid}.wav`)).status).toBe(404);
      expect(await refused(api.client.recordings(sid).fetch())).toEqual({ status: 404, code: 20404 });
      expect(await refused(api.client.recordings(sid).remove())).toEqual({ status: 404, code: 20404 });
      const kept = await api.client.recordings(sid).fetch({ includeSoftDeleted: true });
      expect(kept).toMatchObject({ status: 'deleted', callSid });
    }
    expect(await api.client.recordings.list()).toEqual([]);
    expect(await api.client.recordings.list({ includeSoftDeleted: true })).toHaveLength(2);
    const where = [{ field: 'resourceType', operator: '=', value: 'Recording' } as const];
    expect((await api.store.list(auditEvent, { limit: 10, where })).rows).toHaveLength(2);
    const live = await recorded(api, { status: 'in-progress' });
    expect(await refused(api.client.recordings(live.sid).remove())).toEqual({ status: 400, code: 20009 });
  });

  it('cannot be changed when they are over, nor by words that are none', async () => {
    const api = await startApi();
    const { callSid, sid } = await recorded(api);
    const { recordings } = api.client.calls(callSid);
    expect(await refused(recordings(sid).update({ status: 'paused' }))).toEqual({ status: 400, code: 21220 });
    expect(await refused(recordings(sid).update({ status: 'absent' }))).toEqual({ status: 400, code: 20001 });
    const gone = { status: 404, code: 20404 };
    expect(await refused(recordings(`RE${'0'.repeat(32)}`).update({ status: 'paused' }))).toEqual(gone);
    const nowhere = api.client.calls(`CA${'0'.repeat(32)}`).recordings;
    expect(await refused(nowhere('Twilio.CURRENT').update({ status: 'paused' }))).toEqual(gone);
    expect(await refused(nowhere.create())).toEqual(gone);
    const wrong = { recordingChannels: 'three' };
    expect(await refused(recordings.create(wrong))).toEqual({ status: 400, code: 20001 });
  });
});
