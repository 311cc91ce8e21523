// Recordings of real calls through the official client: what was said lies in the file, on the channel it belongs to.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { MPEGDecoder } from 'mpg123-decoder';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { toneLevel } from '../../src/media/index.ts';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { Softphone } from '../support/softphone.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { toneWav } from '../support/tone-wav.ts';
import { basic, twilioClient } from '../support/twilio-client.ts';
import { startWebhookApp, type WebhookApp } from '../support/webhook-app.ts';

/** The built-in carrier answers and plays 440 Hz. */
const TONE_440 = '+15550001440';
const PAUSE = '<Response><Pause length="60"/></Response>';
const SECOND = 8000;

let exchange: Exchange;
let app: WebhookApp;

beforeEach(async () => {
  app = await startWebhookApp(({ path }, response) => {
    if (path === '/1000.wav') response.writeHead(200, { 'content-type': 'audio/wav' }).end(toneWav(1000, 60));
    else response.writeHead(204).end();
  });
  exchange = await startExchange({ TANDEM_CALLBACK_RETRIES: '0' });
});

afterEach(async () => {
  await exchange.stop();
  await app.close();
});

const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    ({ status, code }: Record<string, unknown>) => ({ status, code }),
  );

/** A call to the carrier that has been answered. */
async function answered(to: string, twiml: string): Promise<string> {
  const carrier = await exchange.carrier({ ringMs: 0 });
  const byoc = await exchange.trunkTo(carrier.uri);
  const sid = await exchange.place(byoc, { to, twiml });
  await exchange.reached(sid, 'in-progress');
  return sid;
}

async function sound(url: string): Promise<Buffer> {
  const { authorization } = exchange;
  const response = await fetch(url, { headers: { authorization } });
  expect([url, response.status]).toEqual([url, 200]);
  return Buffer.from(await response.arrayBuffer());
}

/** The channels of a WAV file. */
function channelsOf(wav: Buffer): Int16Array[] {
  const channels = wav.readUInt16LE(22);
  return Array.from({ length: channels }, (_, channel) =>
    Int16Array.from({ length: (wav.length - 44) / 2 / channels }, (_, at) =>
      wav.readInt16LE(44 + (at * channels + channel) * 2),
    ),
  );
}

async function decoded(mp3: Buffer): Promise<{ channels: Int16Array[]; sampleRate: number }> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, sampleRate } = decoder.decode(mp3);
  decoder.free();
  const samples = (channel: Float32Array) => Int16Array.from(channel, (value) => Math.round(value * 32_767));
  return { channels: channelData.map(samples), sampleRate };
}

/** Which of the tones are there, in the second from the middle on. */
function tonesIn(samples: Int16Array): number[] {
  const middle = samples.subarray(samples.length >> 1, (samples.length >> 1) + SECOND / 2);
  return [440, 1000, 1700].filter((hz) => toneLevel(middle, hz) > 0.1);
}

const fileOf = (sid: string) =>
  join(exchange.folder, 'recordings', exchange.account.accountSid, `${sid}.wav`);

/** Resolves when so many seconds of sound are in a recording's file. */
const holds = (sid: string, seconds: number, channels = 1): Promise<void> =>
  vi.waitFor(() => expect(statSync(fileOf(sid)).size).toBeGreaterThan(seconds * channels * 16_000), {
    timeout: 15_000,
    interval: 20,
  });

describe('a call that is recorded over the API', () => {
  it('has both sides in two channels, and is downloaded as WAV and MP3, mixed or not', async () => {
    const callSid = await answered(TONE_440, `<Response><Play>${app.url}/1000.wav</Play></Response>`);
    const started = await exchange.client.calls(callSid).recordings.create({
      recordingChannels: 'dual',
      recordingStatusCallback: `${app.url}/recorded`,
      recordingStatusCallbackEvent: ['in-progress', 'completed'],
    });
    expect(started).toMatchObject({
      callSid,
      status: 'in-progress',
      channels: 2,
      source: 'StartCallRecordingAPI',
    });
    expect(started).toMatchObject({ track: 'both', duration: null, errorCode: null });
    // Each side is heard by now, and is from here on.
    await vi.waitFor(
      () => expect(channelsOf(readFileSync(fileOf(started.sid))).map(tonesIn)).toEqual([[440], [1000]]),
      { timeout: 15_000, interval: 50 },
    );
    const early = await refused(exchange.client.recordings(started.sid).remove());
    expect(early).toEqual({ status: 400, code: 20009 });
    await exchange.client.calls(callSid).update({ status: 'completed' });
    const completed = ({ parameters }: { parameters: Readonly<Record<string, string>> }) =>
      parameters.RecordingStatus === 'completed';
    const { parameters } = await app.received(completed);
    expect(parameters).toMatchObject({
      AccountSid: exchange.account.accountSid,
      CallSid: callSid,
      RecordingSid: started.sid,
      RecordingUrl: started.uri.replace(/^(.*)\/Calls\/CA\w+(.*)\.json$/, `${exchange.tandem.http}$1$2`),
      RecordingChannels: '2',
      RecordingSource: 'StartCallRecordingAPI',
      RecordingTrack: 'both',
    });
    const url = parameters.RecordingUrl ?? '';
    const [heard, sent] = channelsOf(await sound(`${url}.wav`)) as [Int16Array, Int16Array];
    expect(heard.length).toBeGreaterThan(SECOND / 2);
    expect([tonesIn(heard), tonesIn(sent)]).toEqual([[440], [1000]]);
    expect(parameters.RecordingDuration).toBe(String(Math.round(heard.length / SECOND)));
    const [mixed, ...others] = channelsOf(await sound(`${url}?RequestedChannels=1`)) as [Int16Array];
    expect([tonesIn(mixed), others]).toEqual([[440, 1000], []]);
    const mp3 = await decoded(await sound(`${url}.mp3`));
    expect(mp3.sampleRate).toBe(SECOND);
    expect(mp3.channels.map(tonesIn)).toEqual([[440], [1000]]);
    const monoMp3 = await decoded(await sound(`${url}.mp3?RequestedChannels=1`));
    const [left = new Int16Array()] = monoMp3.channels;
    expect(tonesIn(left)).toEqual([440, 1000]);
    expect(Math.abs(left.length - heard.length)).toBeLessThan(SECOND / 2);

    const fetched = await exchange.client.recordings(started.sid).fetch();
    expect(fetched).toMatchObject({
      status: 'completed',
      duration: parameters.RecordingDuration,
      mediaUrl: url,
    });
    expect((await exchange.client.recordings.list({ callSid })).map(({ sid }) => sid)).toEqual([started.sid]);
    await exchange.quiet();
    // The call's record goes, its recording stays.
    await exchange.client.calls(callSid).remove();
    await sound(url);
    expect(await exchange.client.recordings(started.sid).remove()).toBe(true);
    expect(existsSync(fileOf(started.sid))).toBe(false);
    expect(await exchange.client.recordings.list()).toEqual([]);
  });

  it('is paused, resumed and stopped while it goes on', async () => {
    const callSid = await answered(TONE_440, PAUSE);
    const { recordings } = exchange.client.calls(callSid);
    expect(await refused(recordings('Twilio.CURRENT').update({ status: 'paused' }))).toEqual({
      status: 404,
      code: 20404,
    });
    const { sid } = await recordings.create({ recordingTrack: 'inbound' });
    const change = async (name: string, values: { status: 'paused' | 'in-progress' | 'stopped' }) =>
      (await recordings(name).update(values)).status;
    await holds(sid, 1);
    expect(await change('Twilio.CURRENT', { status: 'paused' })).toBe('paused');
    expect((await recordings(sid).fetch()).status).toBe('paused');
    await holds(sid, 2);
    expect(await change(sid, { status: 'in-progress' })).toBe('in-progress');
    await holds(sid, 3);
    expect(await change('Twilio.CURRENT', { status: 'stopped' })).toBe('stopped');
    expect(await refused(change(sid, { status: 'paused' }))).toEqual({ status: 400, code: 21220 });
    await exchange.client.calls(callSid).update({ status: 'completed' });
    await exchange.ended(callSid);
    await exchange.quiet();
    expect(await refused(recordings.create())).toEqual({ status: 400, code: 21220 });
    await vi.waitFor(
      async () =>
        expect(await recordings(sid).fetch()).toMatchObject({
          status: 'completed',
          channels: 1,
          track: 'inbound',
        }),
      8000,
    );
    const { mediaUrl } = await exchange.client.recordings(sid).fetch();
    const [samples = new Int16Array()] = channelsOf(await sound(mediaUrl));
    // It begins and ends with the tone, and has the pause in between.
    const loud = (part: Int16Array) => toneLevel(part, 440) > 0.1;
    expect([loud(samples.subarray(4000, 6000)), loud(samples.subarray(-4000, -2000))]).toEqual([true, true]);
    const frames = Array.from({ length: Math.floor(samples.length / 160) }, (_, at) =>
      samples.subarray(at * 160, at * 160 + 160).every((sample) => sample === 0),
    );
    expect(frames.filter(Boolean).length * 20).toBeGreaterThan(800);
  });
});

describe('the end of a call that is recorded', () => {
  const about = (header: (name: string) => string | undefined) => ({
    RecordingSid: header('X-Twilio-RecordingSid'),
    RecordingDuration: header('X-Twilio-RecordingDuration'),
  });

  /** A call to a phone. */
  async function called(order: object) {
    const phone = await Softphone.open();
    onTestFinished(() => phone.close());
    const taking = await phone.expects();
    const { sid } = await exchange.client.calls.create({
      to: phone.uri('udp', 'anna'),
      from: 'alice',
      twiml: PAUSE,
      statusCallback: `${app.url}/ended`,
      ...order,
    });
    const taken = await taking();
    void taken.session.play({ kind: 'tone', frequenciesHz: [440], durationMs: 60_000 });
    await exchange.reached(sid, 'in-progress');
    return { sid, taken };
  }

  it('tells its app and the phone of the recording that Record=true made', async () => {
    const { sid, taken } = await called({ record: true });
    const { recordings } = exchange.client.calls(sid);
    const [row] = await vi.waitFor(async () => {
      const rows = await recordings.list();
      expect(rows).toHaveLength(1);
      return rows;
    }, 8000);
    const RecordingSid = row?.sid ?? '';
    await holds(RecordingSid, 2);
    // A later one of the same call is not told of.
    await recordings.create();
    await exchange.client.calls(sid).update({ status: 'completed' });
    const { parameters } = await app.received(({ path }) => path === '/ended');
    const { mediaUrl: RecordingUrl } = await exchange.client.recordings(RecordingSid).fetch();
    expect(parameters).toMatchObject({ CallStatus: 'completed', RecordingSid, RecordingUrl });
    const { request } = await taken.ended;
    const { RecordingDuration } = parameters;
    expect(about((name) => request?.header(name))).toEqual({ RecordingSid, RecordingDuration });
    const duration = await vi.waitFor(async () => {
      const { status, duration } = await exchange.client.recordings(RecordingSid).fetch();
      expect(status).toBe('completed');
      return duration;
    }, 8000);
    expect(Math.abs(Number(RecordingDuration) - Number(duration))).toBeLessThanOrEqual(1);
  });

  it('says nothing of what <Record> took down, nor where nothing was recorded', async () => {
    const twiml = `<Response><Record timeout="0"/></Response>`;
    for (const order of [{ twiml }, {}]) {
      const { sid, taken } = await called(order);
      await exchange.client.calls(sid).update({ status: 'completed' });
      const { parameters } = await app.received(
        ({ path, parameters: { CallSid } }) => path === '/ended' && CallSid === sid,
      );
      expect(Object.keys(parameters).filter((name) => name.startsWith('Recording'))).toEqual([]);
      const { request } = await taken.ended;
      expect(request?.header('X-Twilio-CallSid')).toBe(sid);
      expect(request?.header('X-Twilio-RecordingSid')).toBeUndefined();
    }
  });
});

describe('docs/recordings.md', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/recordings.md'), 'utf8');

  /** Runs an example of the page as the body of a function that is given these names. */
  async function run(name: string, given: object): Promise<unknown> {
    const [, code = ''] = new RegExp(`^\`\`\`js ${name}\\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? [];
    const path = join(tempFolder(), `${name}.mjs`);
    const head = `import { writeFile } from 'node:fs/promises';\nexport default async ({ ${Object.keys(given)} }) => {\n`;
    writeFileSync(path, `${head}${code}};\n`);
    const example = (await import(pathToFileURL(path).href)) as { default(given: object): Promise<unknown> };
    return example.default(given);
  }

  it('has examples that run', async () => {
    const callSid = await answered(TONE_440, PAUSE);
    const { client, account } = exchange;
    const sid = String(await run('control', { client, callSid }));
    await vi.waitFor(
      async () => expect((await client.recordings(sid).fetch()).status).not.toBe('stopped'),
      8000,
    );
    // It was stopped before anything was said.
    const [first] = await client.calls(callSid).recordings.list();
    expect(first).toMatchObject({ sid, channels: 2 });

    const { sid: longer } = await client.calls(callSid).recordings.create();
    await holds(longer, 1);
    await client.calls(callSid).update({ status: 'completed' });
    await exchange.ended(callSid);
    await vi.waitFor(
      async () => expect((await client.recordings(longer).fetch()).status).toBe('completed'),
      8000,
    );
    const file = join(tempFolder(), 'call.mp3');
    await run('listen', { client, sid: longer, ...account, file });
    const { channels } = await decoded(readFileSync(file));
    expect(tonesIn(channels[0] ?? new Int16Array())).toEqual([440]);
    expect((await client.recordings.list()).map((each) => each.sid)).toEqual([sid]);
  });
});

describe('kill -9 while a call is recorded', () => {
  const ACCOUNT = { sid: `AC${'7'.repeat(32)}`, token: 'a-token-for-killing' };

  /** An exchange as a process of its own. */
  async function serve(folder: string) {
    const child = spawn(process.execPath, [resolve(import.meta.dirname, '../../src/main.ts'), 'serve'], {
      env: {
        PATH: process.env.PATH,
        TANDEM_DATA: folder,
        TANDEM_HTTP_PORT: '0',
        TANDEM_SIP_PORT: '0',
        TANDEM_BASE_URL: 'https://tandem.example',
        TANDEM_ACCOUNT_SID: ACCOUNT.sid,
        TANDEM_AUTH_TOKEN: ACCOUNT.token,
        TANDEM_LOG_LEVEL: 'silent',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const kill = async () => {
      child.kill('SIGKILL');
      await exited;
    };
    onTestFinished(kill);
    const lines = createInterface({ input: child.stdout });
    const [line] = (await once(lines, 'line')) as [string];
    const { http } = JSON.parse(line) as { http: string };
    return { client: twilioClient(http, ACCOUNT.sid, ACCOUNT.token), http, kill };
  }

  // Two processes start.
  it('costs no recording: the next start repairs it and tells its app', { timeout: 60_000 }, async () => {
    const folder = tempFolder();
    const carrier = await exchange.carrier({ ringMs: 0 });
    const first = await serve(folder);
    const to = carrier.uri.replace('sip:', `sip:${TONE_440}@`);
    const { sid: callSid } = await first.client.calls.create({
      to,
      from: 'alice',
      twiml: PAUSE,
      statusCallback: `${app.url}/ended`,
    });
    await vi.waitFor(
      async () => expect((await first.client.calls(callSid).fetch()).status).toBe('in-progress'),
      8000,
    );
    const { sid } = await first.client.calls(callSid).recordings.create({
      recordingChannels: 'dual',
      recordingStatusCallback: `${app.url}/recorded`,
    });
    const file = join(folder, 'recordings', ACCOUNT.sid, `${sid}.wav`);
    await vi.waitFor(() => expect(statSync(file).size).toBeGreaterThan(2 * 32_000), { timeout: 15_000 });
    await first.kill();
    expect(readFileSync(file).readUInt32LE(40)).toBe(0);

    const second = await serve(folder);
    const { parameters } = await app.received(({ path }) => path === '/recorded');
    const seconds = String(Math.round((statSync(file).size - 44) / 32_000));
    expect(parameters).toMatchObject({
      RecordingSid: sid,
      RecordingStatus: 'completed',
      RecordingDuration: seconds,
      RecordingUrl: `https://tandem.example/2010-04-01/Accounts/${ACCOUNT.sid}/Recordings/${sid}`,
    });
    const ended = await app.received(({ path }) => path === '/ended');
    expect(ended.parameters).toMatchObject({ RecordingSid: sid, RecordingDuration: seconds });
    expect(await second.client.recordings(sid).fetch()).toMatchObject({
      status: 'completed',
      duration: seconds,
    });
    expect((await second.client.calls(callSid).fetch()).status).toBe('completed');
    const authorization = basic(ACCOUNT.sid, ACCOUNT.token);
    const path = `/2010-04-01/Accounts/${ACCOUNT.sid}/Recordings/${sid}.wav`;
    const response = await fetch(second.http + path, { headers: { authorization } });
    const [heard = new Int16Array()] = channelsOf(Buffer.from(await response.arrayBuffer()));
    expect(tonesIn(heard)).toEqual([440]);
  });
});
