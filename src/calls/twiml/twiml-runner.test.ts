import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import type { MediaSession, Prompt } from '../../media/index.ts';
import type { DialOutcome } from '../../twiml/index.ts';
import type { WebhookTarget } from '../order.ts';
import type { WebhookResult } from '../webhook/request.ts';
import { TwimlRunner, type TwimlRunnerDeps } from './twiml-runner.ts';

const FALLBACK = { url: 'http://app/fallback', method: 'POST' } as const;
const xml = (body: string): WebhookResult => ({
  kind: 'answer',
  status: 200,
  contentType: 'text/xml; charset=utf-8',
  body: Buffer.from(body),
});
const RECORDING = { url: 'http://rec/RE1', sid: 'RE1', durationS: 3 };
const RECORDED = { type: 'recorded', recording: RECORDING } as const;
const DOWN: WebhookResult = { kind: 'failure', code: 11202, message: 'connection refused' };

/** A runner over an app that answers by path, with media that finishes each prompt at once unless held. */
function runner(
  app: Record<string, WebhookResult | Promise<WebhookResult>> = {},
  options: { fallback?: WebhookTarget; hold?: boolean } & Partial<
    Pick<TwimlRunnerDeps, 'record' | 'dial' | 'over'>
  > = {},
) {
  const clock = new FakeClock();
  const heard: string[] = [];
  const [files, downloaded]: [string[], string[]] = [[], []];
  const fetched: { url: string; method: string; extra: Readonly<Record<string, string>> }[] = [];
  const notes: string[] = [];
  let release: () => void = () => {};
  const media = {
    play: (prompt: Prompt) => {
      heard.push(prompt.kind === 'speech' ? prompt.text : prompt.kind);
      if (prompt.kind === 'audio') files.push(Buffer.from(prompt.file).toString('latin1'));
      if (files.at(-1) === 'noise') return Promise.reject(new Error('it is no sound'));
      return new Promise<'finished' | 'stopped'>((resolve) => {
        release = () => resolve('stopped');
        if (!options.hold) resolve('finished');
      });
    },
    stopPlaying: () => release(),
  } as unknown as MediaSession;
  const hungUp = Promise.withResolvers<string>();
  const unasked = () => {
    throw new Error('nobody asked for it');
  };
  const twiml = new TwimlRunner({
    media: () => media,
    clock,
    answer: unasked,
    record: options.record ?? unasked,
    dial: options.dial ?? unasked,
    refer: unasked,
    reject: unasked,
    refuse: () => false,
    bridge: unasked,
    over: options.over ?? (() => {}),
    fallback: () => options.fallback,
    fetch: async ({ url, method }, extra) => {
      fetched.push({ url, method, extra });
      return app[new URL(url).pathname] ?? DOWN;
    },
    download: async (url) => {
      downloaded.push(url);
      return app[new URL(url).pathname] ?? DOWN;
    },
    note: (text) => void notes.push(`twiml: ${text}`),
    notify: ({ code, level, text }) => void notes.push(`${level}: ${code}: ${text}`),
    hangUp: (why) => hungUp.resolve(why),
  });
  return { twiml, clock, heard, files, downloaded, fetched, notes, hungUp: hungUp.promise };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the TwiML runner', () => {
  it('speaks, then hangs up at the end of the document', async () => {
    const { twiml, heard, hungUp } = runner();
    twiml.start({ twiml: '<Response><Say>one</Say><Say>two</Say></Response>' });
    expect(await hungUp).toBe('the TwiML came to its end');
    expect(heard).toEqual(['one', 'two']);
  });

  it('plays what a URL holds, relative to the document, and skips what cannot be had', async () => {
    const { twiml, heard, notes, hungUp } = runner({
      '/a/start': xml(
        '<Response><Play loop="2">tone.wav</Play><Play>gone.wav</Play><Say>end</Say></Response>',
      ),
      '/a/tone.wav': { ...xml('RIFF'), contentType: 'audio/wav' } as WebhookResult,
    });
    twiml.start({ url: 'http://app/a/start', method: 'POST' });
    await hungUp;
    expect(heard).toEqual(['audio', 'audio', 'end']);
    expect(notes).toContain('warning: 11202: connection refused');
  });

  it('asks once for what is heard again and again, and tells once what is wrong with it', async () => {
    const app = {
      '/tone.wav': { ...xml('RIFF'), contentType: 'audio/wav' } as WebhookResult,
      '/noise': { ...xml('noise'), contentType: 'audio/wav' } as WebhookResult,
    };
    const { twiml, clock, files, downloaded, notes, hungUp } = runner(app);
    const plays = ['tone.wav', 'noise', 'gone'].map((file) => `<Play loop="3">http://app/${file}</Play>`);
    const again = '<Play>http://app/tone.wav</Play>';
    const gather = `<Gather timeout="1">${again.replace('>', ' loop="2">')}</Gather>`;
    twiml.start({ twiml: `<Response>${plays.join('')}${again}${again}${gather}</Response>` });
    await turn();
    clock.advance(1000);
    await hungUp;
    const tones = (count: number) => Array.from({ length: count }, () => 'RIFF');
    expect(files).toEqual([...tones(3), 'noise', ...tones(4)]);
    const asked = downloaded.map((url) => url.slice(11));
    expect(asked.join(' ')).toBe('tone.wav noise gone tone.wav tone.wav tone.wav');
    expect(notes.filter((note) => /^(error|warning)/.test(note))).toEqual([
      'error: 13420: it is no sound',
      'warning: 11202: connection refused',
    ]);
  });

  it('pauses on its clock', async () => {
    const { twiml, clock, heard, hungUp } = runner();
    twiml.start({ twiml: '<Response><Pause length="5"/><Say>later</Say></Response>' });
    await turn();
    clock.advance(4999);
    await turn();
    expect(heard).toEqual([]);
    clock.advance(1);
    await hungUp;
    expect(heard).toEqual(['later']);
    expect(clock.pending).toBe(0);
  });

  it('fetches a document and follows redirects relative to it', async () => {
    const { twiml, heard, fetched, hungUp } = runner({
      '/a/start': xml('<Response><Redirect method="GET">next?x=1</Redirect></Response>'),
      '/a/next': xml('<Response><Say>there</Say></Response>'),
    });
    twiml.start({ url: 'http://app/a/start', method: 'POST' });
    await hungUp;
    expect(heard).toEqual(['there']);
    expect(fetched.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST http://app/a/start',
      'GET http://app/a/next?x=1',
    ]);
  });

  it.each([
    ['TwiML runs', ' <Response><Say>ran</Say></Response>', ['ran']],
    ['anything else is said', 'Hello & <welcome>, all.', ['Hello & <welcome>, all.']],
    ['what only looks like XML is said', '<3 you & yours', ['<3 you & yours']],
    ['XML that is no TwiML is said', '<p>Hello</p>', ['<p>Hello</p>']],
  ])('takes plain text: %s', async (_name, body, said) => {
    const { twiml, heard, hungUp } = runner({
      '/x': { ...xml(body), contentType: 'text/plain; charset=utf-8' } as WebhookResult,
    });
    twiml.start({ url: 'http://app/x', method: 'POST' });
    expect(await hungUp).toBe('the TwiML came to its end');
    expect(heard).toEqual(said);
  });

  it('plays an answer that is sound, once and without asking for it again', async () => {
    const { twiml, files, downloaded, fetched, hungUp } = runner({
      '/x': { ...xml('RIFF'), contentType: 'audio/x-wav' } as WebhookResult,
      '/y': xml('<Response><Redirect>/x?a=1&amp;b</Redirect></Response>'),
    });
    twiml.start({ url: 'http://app/y', method: 'POST' });
    expect(await hungUp).toBe('the TwiML came to its end');
    expect(files).toEqual(['RIFF']);
    expect(downloaded).toEqual([]);
    expect(fetched).toHaveLength(2);
  });

  it('plays bare µ-law, and says what it cannot play, in a Gather with its own code', async () => {
    const noise = { ...xml('noise'), contentType: 'audio/gsm' } as WebhookResult;
    const app = { '/a': { ...xml('law'), contentType: 'audio/basic' } as WebhookResult, '/b': noise };
    const { twiml, clock, files, notes, hungUp } = runner(app);
    twiml.start({
      twiml:
        '<Response><Play>http://app/a</Play><Play>http://app/b</Play><Gather timeout="1"><Play>http://app/b</Play></Gather></Response>',
    });
    await turn();
    clock.advance(1000);
    await hungUp;
    expect(files).toEqual([expect.stringMatching(/^\.snd[^]{20}law$/), 'noise', 'noise']);
    expect(notes).toContain('error: 13420: it is no sound');
    expect(notes).toContain('error: 13325: it is no sound');
  });

  it('asks the fallback with ErrorCode and ErrorUrl', async () => {
    const app = { '/fallback': xml('<Response><Say>spare</Say></Response>') };
    const { twiml, heard, fetched, hungUp } = runner(app, { fallback: FALLBACK });
    twiml.start({ url: 'http://app/gone', method: 'POST' });
    await hungUp;
    expect(heard).toEqual(['spare']);
    expect(fetched[1]).toEqual({ ...FALLBACK, extra: { ErrorCode: '11202', ErrorUrl: 'http://app/gone' } });
  });

  it.each<[string, Record<string, WebhookResult>, string]>([
    ['the app is down', {}, '11202'],
    ['the answer is no XML', { '/x': xml('hello') }, '12100'],
    [
      'the answer has no content type',
      { '/x': { ...xml('<Response/>'), contentType: '' } as WebhookResult },
      '12300',
    ],
  ])('apologises and hangs up when %s and there is no fallback', async (_name, app, code) => {
    const { twiml, heard, notes, hungUp } = runner(app);
    twiml.start({ url: 'http://app/x', method: 'POST' });
    expect(await hungUp).toContain('TwiML failed');
    expect(heard).toEqual([expect.stringContaining('application error')]);
    expect(notes[0]).toContain(code);
  });

  it.each([
    ['that a call was placed with', 'order', 'action="/x"', '11100'],
    ['that a call was given while it is up', 'update', 'action="/x"', '15004'],
    ['that a call was given while it is up, without an action', 'update', '', '15004'],
  ] as const)('cannot ask a relative action of TwiML %s', async (_name, by, action, code) => {
    const { twiml, notes, hungUp } = runner();
    twiml.start({ twiml: `<Response><Gather ${action} numDigits="1"/></Response>` }, by);
    twiml.key('1');
    expect(await hungUp).toBe('TwiML failed: <Gather action> is no absolute http URL');
    expect(notes).toContain(`error: ${code}: <Gather action> is no absolute http URL`);
  });

  it('knows a document that was fetched since from TwiML that a call was given while it is up', async () => {
    const { twiml, notes, hungUp } = runner({
      '/next': xml('<Response><Gather action="mailto:a" numDigits="1"/></Response>'),
    });
    twiml.start({ twiml: '<Response><Redirect>http://app/next</Redirect></Response>' }, 'update');
    await turn();
    twiml.key('1');
    await hungUp;
    expect(notes).toContain('error: 11100: <Gather action> is no absolute http URL');
  });

  it('ends a loop of redirects', async () => {
    const { twiml, fetched, hungUp } = runner({ '/x': xml('<Response><Redirect>/x</Redirect></Response>') });
    twiml.start({ url: 'http://app/x', method: 'POST' });
    expect(await hungUp).toContain('more than 100 documents');
    expect(fetched).toHaveLength(100);
  });

  it('leaves what runs when it is started anew, and is silent once stopped', async () => {
    const { twiml, clock, heard } = runner({}, { hold: true });
    twiml.start({ twiml: '<Response><Say>old</Say><Say>never</Say></Response>' });
    await turn();
    twiml.start({ twiml: '<Response><Pause length="1"/><Say>new</Say></Response>' });
    await turn();
    twiml.stop();
    clock.advance(5000);
    await turn();
    expect(heard).toEqual(['old']);
    expect(clock.pending).toBe(0);
  });

  it('notes the flaws of a document with their place', async () => {
    const { twiml, notes, hungUp } = runner();
    twiml.start({ twiml: '<Response>\n<Enqueue>a</Enqueue></Response>' });
    await hungUp;
    expect(notes).toEqual([expect.stringMatching(/^warning: 12200: <Enqueue> is not supported yet.*line 2/)]);
  });

  it('lets a call that is over tell what its Record and Dial led to, and runs nothing of the answer', async () => {
    const app = {
      '/start': xml('<Response><Record action="/done"/></Response>'),
      '/done': xml('<Response/>'),
    };
    const outcome = Promise.withResolvers<{ type: 'recorded'; recording: typeof RECORDING }>();
    const over = Promise.withResolvers<void>();
    const { twiml, fetched, hungUp } = runner(app, {
      record: () => ({ outcome: outcome.promise, stop: () => outcome.resolve(RECORDED) }),
      over: over.resolve,
    });
    twiml.start({ url: 'http://app/start', method: 'POST' });
    await turn();
    twiml.callEnded();
    await over.promise;
    expect(fetched.map(({ url }) => url)).toEqual(['http://app/start', 'http://app/done']);
    expect(fetched[1]?.extra).toMatchObject({ RecordingSid: 'RE1', Digits: 'hangup' });
    twiml.start({ twiml: '<Response><Say>Never heard.</Say></Response>' });
    expect(await Promise.race([hungUp, turn().then(() => 'nothing')])).toBe('nothing');
  });

  it('drops a document that is on its way when the call ends', async () => {
    const over = Promise.withResolvers<void>();
    const { twiml, heard } = runner(
      { '/start': xml('<Response><Say>Never heard.</Say></Response>') },
      { over: over.resolve },
    );
    twiml.start({ url: 'http://app/start', method: 'POST' });
    twiml.callEnded();
    await over.promise;
    await turn();
    expect(heard).toEqual([]);
  });

  it('stops a verb when it is started anew, and hears nothing of its outcome', async () => {
    const outcome = Promise.withResolvers<DialOutcome>();
    let stopped = 0;
    const { twiml, fetched, heard, hungUp } = runner(
      { '/start': xml('<Response><Dial action="/done">+15550001111</Dial></Response>') },
      { dial: () => ({ outcome: outcome.promise, stop: () => void (stopped += 1) }) },
    );
    twiml.start({ url: 'http://app/start', method: 'POST' });
    await turn();
    twiml.start({ twiml: '<Response><Say>new</Say></Response>' });
    outcome.resolve({ status: 'completed', bridged: true });
    await hungUp;
    expect([stopped, heard, fetched.length]).toEqual([1, ['new'], 1]);
  });

  it('lets a Dial go on until the document of referUrl is there', async () => {
    const { promise, resolve } = Promise.withResolvers<WebhookResult>();
    let stopped = 0;
    const { twiml, heard, hungUp } = runner(
      {
        '/start': xml('<Response><Dial referUrl="/moved">+15550001111</Dial></Response>'),
        '/moved': promise,
      },
      { dial: () => ({ outcome: new Promise(() => {}), stop: () => void (stopped += 1) }) },
    );
    twiml.start({ url: 'http://app/start', method: 'POST' });
    await turn();
    expect(twiml.transfer('sip:desk@pbx.example', 'callee')).toBe(true);
    await turn();
    expect(stopped).toBe(0);
    resolve(xml('<Response><Say>there</Say></Response>'));
    await hungUp;
    expect([stopped, heard]).toEqual([1, ['there']]);
  });

  it('gives keys to the Gather that runs, and to nobody else', async () => {
    const { twiml, clock, fetched, hungUp } = runner({
      '/start': xml('<Response><Pause/><Gather action="/pin" numDigits="2"/></Response>'),
      '/pin': xml('<Response/>'),
    });
    twiml.start({ url: 'http://app/start', method: 'POST' });
    await turn();
    twiml.key('9');
    clock.advance(1000);
    await turn();
    twiml.key('1');
    twiml.key('2');
    await hungUp;
    expect(fetched[1]).toMatchObject({ url: 'http://app/pin', extra: { Digits: '12' } });
    expect(clock.pending).toBe(0);
  });
});
