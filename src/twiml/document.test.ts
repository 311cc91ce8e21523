import { describe, expect, it } from 'vitest';
import { parseDocument } from './document.ts';

const HERE = 'https://app.example/voice/start?x=1#rc=2';
const response = (body: string) => `<Response>${body}</Response>`;
const parse = (body: string) => parseDocument(response(body), HERE);
const HTTP = 'https://app.example/';

describe('a document', () => {
  it.each<[string, string, object[]]>([
    ['is empty', '<Response/>', []],
    ['begins with a declaration and a comment', '<?xml version="1.0"?><!-- x --><Response/>', []],
    ['has entities', response('<Say>a &amp; b &#x263A;</Say>'), [{ verb: 'Say', text: 'a & b ☺' }]],
    ['has CDATA', response('<Say><![CDATA[<b>]]></Say>'), [{ verb: 'Say', text: '<b>' }]],
    ['has a comment in a text', response('<Say>a<!-- x -->b</Say>'), [{ verb: 'Say', text: 'ab' }]],
    ['has SSML', response('<Say>one <emphasis>two</emphasis> three</Say>'), [{ text: 'one two three' }]],
    [
      'is in several lines',
      '<Response>\n  <Hangup/>\n</Response>',
      [{ verb: 'Hangup', line: 2, column: 11 }],
    ],
  ])('that %s', (_name, source, verbs) => {
    expect(parseDocument(source, HERE).verbs).toMatchObject(verbs);
    expect(parseDocument(source, HERE).verbs).toHaveLength(verbs.length);
  });

  it.each<[string, string, number]>([
    ['no XML', 'Hello', 12100],
    ['nothing', '', 12100],
    ['an unclosed tag', '<Response><Say>x</Response>', 12100],
    ['two roots', '<Response/><Response/>', 12100],
    ['an attribute twice', '<Response><Say loop="1" loop="2">x</Say></Response>', 12100],
    ['a blank before the declaration', ' <?xml version="1.0"?><Response/>', 12100],
    ['an unknown entity', '<Response><Say>&bomb;</Say></Response>', 12100],
    ['another root', '<Play/>', 12102],
    ['a root in another letter case', '<response/>', 12102],
    ['deep nesting', `<Response>${'<a>'.repeat(50)}${'</a>'.repeat(50)}</Response>`, 12100],
    ['more than 64 KB', response(`<Say>${'x'.repeat(70_000)}</Say>`), 11750],
  ])('that is %s cannot run', (_name, source, code) => {
    expect(() => parseDocument(source)).toThrow(expect.objectContaining({ name: 'TwimlError', code }));
  });

  it('may be exactly 64 KB large, counted in bytes', () => {
    const frame = '<Response><Pause><!----></Pause></Response>'.length;
    const of = (bytes: number) =>
      `<Response><Pause><!--${'ä'.repeat(10)}${'x'.repeat(bytes - frame - 20)}--></Pause></Response>`;
    expect(parseDocument(of(65_536)).verbs).toHaveLength(1);
    expect(() => parseDocument(of(65_537))).toThrow(expect.objectContaining({ code: 11750 }));
  });

  it('may nest 16 deep', () => {
    const of = (depth: number) =>
      response(`<Say>${'<s>'.repeat(depth - 2)}x${'</s>'.repeat(depth - 2)}</Say>`);
    expect(parseDocument(of(16)).verbs).toHaveLength(1);
    expect(() => parseDocument(of(17))).toThrow(expect.objectContaining({ code: 12100 }));
  });

  it('resolves URLs on its own', () => {
    expect(parse('<Redirect>next</Redirect><Redirect>?y</Redirect><Play>/a.wav</Play>').verbs).toMatchObject([
      { to: { url: 'https://app.example/voice/next', method: 'POST' } },
      { to: { url: 'https://app.example/voice/start?y' } },
      { url: 'https://app.example/a.wav' },
    ]);
    expect(parseDocument(response('<Redirect>next</Redirect>')).verbs).toMatchObject([
      { to: { url: 'next' } },
    ]);
  });

  it('keeps the overrides of a URL', () => {
    expect(parse('<Redirect>next#rc=3</Redirect><Gather/>').verbs).toMatchObject([
      { to: { url: 'https://app.example/voice/next#rc=3' } },
      { action: { url: HERE } },
    ]);
  });
});

describe('the defaults', () => {
  it.each<[string, object]>([
    ['<Say>x</Say>', { verb: 'Say', text: 'x', voice: 'man', language: 'en-US', loop: 1 }],
    ['<Play>/a.wav</Play>', { verb: 'Play', url: `${HTTP}a.wav`, loop: 1 }],
    ['<Play digits="1w2"/>', { verb: 'PlayDigits', digits: '1w2', loop: 1 }],
    ['<Pause/>', { verb: 'Pause', durationMs: 1000 }],
    ['<Hangup/>', { verb: 'Hangup' }],
    ['<Reject/>', { verb: 'Reject', reason: 'rejected' }],
    ['<Redirect>/x</Redirect>', { verb: 'Redirect', to: { url: `${HTTP}x`, method: 'POST' } }],
    [
      '<Gather/>',
      {
        verb: 'Gather',
        action: { url: HERE, method: 'POST' },
        actionOnEmptyResult: false,
        prompts: [],
        rules: { dtmf: true, timeoutMs: 5000, finishOnKey: '#', numDigits: undefined },
      },
    ],
    [
      '<Record/>',
      {
        verb: 'Record',
        action: { url: HERE, method: 'POST' },
        rules: {
          timeoutMs: 5000,
          finishOnKey: '1234567890*#',
          maxLengthMs: 3_600_000,
          playBeep: true,
          trimSilence: true,
          callback: undefined,
        },
      },
    ],
    [
      '<Refer><Sip>sip:a@b.example</Sip></Refer>',
      { verb: 'Refer', action: undefined, target: { uri: 'sip:a@b.example', secure: false, headers: [] } },
    ],
    [
      '<Dial>+15551230000</Dial>',
      {
        verb: 'Dial',
        action: undefined,
        refer: undefined,
        rules: {
          sequential: false,
          timeoutMs: 30_000,
          timeLimitMs: 14_400_000,
          callerId: undefined,
          callerNumber: undefined,
          hangupOnStar: false,
          answerOnBridge: false,
          ringTone: undefined,
          record: undefined,
          targets: [
            {
              noun: 'Number',
              number: '+15551230000',
              sendDigits: '',
              byoc: undefined,
              screening: undefined,
              callback: undefined,
            },
          ],
        },
      },
    ],
  ])('of %s', (body, verb) => {
    const { verbs, warnings } = parse(body);
    expect(verbs).toEqual([{ ...verb, line: 1, column: expect.any(Number) }]);
    expect(warnings).toEqual([]);
  });
});

describe('an attribute', () => {
  it.each<[string, object]>([
    [
      '<Say voice="Polly.Joanna" language="de" loop="3">x</Say>',
      { voice: 'Polly.Joanna', language: 'de', loop: 3 },
    ],
    ['<Say loop="0">x</Say>', { loop: 1000 }],
    ['<Say loop="1001">x</Say>', { loop: 1000 }],
    [`<Say>${'x'.repeat(4096)}</Say>`, { verb: 'Say' }],
    ['<Play loop="0">/a.wav</Play>', { loop: 1000 }],
    ['<Play digits="0123456789*#ABCDwW" loop="2"/>', { digits: '0123456789*#ABCDwW', loop: 2 }],
    ['<Pause length="86400"/>', { durationMs: 86_400_000 }],
    ['<Reject reason="busy"/>', { reason: 'busy' }],
    ['<Redirect method="get">/x</Redirect>', { to: { method: 'GET' } }],
    ['<Gather action="a" method="GET"/>', { action: { url: `${HTTP}voice/a`, method: 'GET' } }],
    ['<Gather action=""/>', { action: { url: HERE } }],
    ['<Gather timeout="1" numDigits="1"/>', { rules: { timeoutMs: 1000, numDigits: 1 } }],
    ['<Gather finishOnKey="*"/>', { rules: { finishOnKey: '*' } }],
    ['<Gather finishOnKey=""/>', { rules: { finishOnKey: '' } }],
    ['<Gather actionOnEmptyResult="TRUE"/>', { actionOnEmptyResult: true }],
    ['<Gather input="dtmf" debug="true"/>', { rules: { dtmf: true } }],
    [
      '<Gather><Say>a</Say><Pause/><Play>/a.wav</Play><Play digits="1"/></Gather>',
      { prompts: [{ verb: 'Say' }, { verb: 'Pause' }, { verb: 'Play' }, { verb: 'PlayDigits' }] },
    ],
    ['<Record timeout="0"/>', { rules: { timeoutMs: undefined } }],
    ['<Record finishOnKey="#*"/>', { rules: { finishOnKey: '#*' } }],
    ['<Record finishOnKey=""/>', { rules: { finishOnKey: '' } }],
    ['<Record maxLength="86400" playBeep="false"/>', { rules: { maxLengthMs: 86_400_000, playBeep: false } }],
    ['<Record trim="do-not-trim" transcribe="false"/>', { rules: { trimSilence: false } }],
    [
      '<Record recordingStatusCallback="/r"/>',
      { rules: { callback: { url: `${HTTP}r`, method: 'POST', events: ['completed'] } } },
    ],
    [
      '<Record recordingStatusCallback="/r" recordingStatusCallbackMethod="GET" recordingStatusCallbackEvent="absent in-progress"/>',
      { rules: { callback: { url: `${HTTP}r`, method: 'GET', events: ['in-progress', 'absent'] } } },
    ],
    [
      '<Refer action="/r" method="GET"><Sip>sip:a@b.example?X-A=1</Sip></Refer>',
      { action: { url: `${HTTP}r`, method: 'GET' }, target: { headers: [{ name: 'X-A', value: '1' }] } },
    ],
  ])('is taken: %s', (body, verb) => {
    const { verbs, warnings } = parse(body);
    expect(verbs).toMatchObject([verb]);
    expect(warnings).toEqual([]);
  });

  it.each<[string, number, object]>([
    ['<Say voice="robot 7">x</Say>', 13511, { voice: 'man' }],
    ['<Say language="x">x</Say>', 13512, { language: 'en-US' }],
    ['<Say loop="-1">x</Say>', 13510, { loop: 1 }],
    ['<Say loop="">x</Say>', 13510, { loop: 1 }],
    ['<Say volume="1">x</Say>', 12200, {}],
    ['<Say Loop="2">x</Say>', 12200, { loop: 1 }],
    ['<Say>a<break/>b</Say>', 12200, { text: 'ab' }],
    ['<Say>a<blink>b</blink></Say>', 12200, { text: 'ab' }],
    ['<Play loop="x">/a.wav</Play>', 13410, { loop: 1 }],
    ['<Play digits="1">/a.wav</Play>', 12200, { verb: 'PlayDigits' }],
    ['<Pause length="0"/>', 13910, { durationMs: 1000 }],
    ['<Pause length="1.5"/>', 13910, { durationMs: 1000 }],
    ['<Pause length="86401"/>', 13910, { durationMs: 1000 }],
    ['<Pause>x</Pause>', 12200, {}],
    ['<Pause><Say>x</Say></Pause>', 12200, {}],
    ['<Reject reason="later"/>', 13810, { reason: 'rejected' }],
    ['<Redirect method="PUT">/x</Redirect>', 13710, { to: { method: 'POST' } }],
    ['<Gather method="PUT"/>', 13312, { action: { method: 'POST' } }],
    ['<Gather timeout="0"/>', 13313, { rules: { timeoutMs: 5000 } }],
    ['<Gather timeout="auto"/>', 13313, { rules: { timeoutMs: 5000 } }],
    ['<Gather finishOnKey="12"/>', 13310, { rules: { finishOnKey: '#' } }],
    ['<Gather finishOnKey="A"/>', 13310, { rules: { finishOnKey: '#' } }],
    ['<Gather numDigits="0"/>', 13314, { rules: { numDigits: undefined } }],
    ['<Gather numDigits="1001"/>', 13314, { rules: { numDigits: undefined } }],
    ['<Gather input="keys"/>', 13326, { rules: { dtmf: true } }],
    ['<Gather input="speech"/>', 12200, { rules: { dtmf: false } }],
    ['<Gather input="dtmf speech"/>', 12200, { rules: { dtmf: true } }],
    ['<Gather hints="a" speechTimeout="auto"/>', 12200, {}],
    ['<Gather actionOnEmptyResult="yes"/>', 13338, { actionOnEmptyResult: false }],
    ['<Gather>x</Gather>', 12200, {}],
    ['<Gather><Dial>+1</Dial></Gather>', 13320, { prompts: [] }],
    ['<Gather><Say voice="?">x</Say></Gather>', 13321, { prompts: [{ voice: 'man' }] }],
    ['<Gather><Say loop="x">x</Say></Gather>', 13322, { prompts: [{ loop: 1 }] }],
    ['<Gather><Say/></Gather>', 13520, { prompts: [] }],
    ['<Record method="PUT"/>', 13610, { action: { method: 'POST' } }],
    ['<Record timeout="x"/>', 13611, { rules: { timeoutMs: 5000 } }],
    ['<Record maxLength="0"/>', 13612, { rules: { maxLengthMs: 3_600_000 } }],
    ['<Record maxLength="86401"/>', 13612, { rules: { maxLengthMs: 3_600_000 } }],
    ['<Record finishOnKey="A"/>', 13613, { rules: { finishOnKey: '1234567890*#' } }],
    ['<Record transcribe="maybe"/>', 13614, {}],
    ['<Record transcribe="true" transcribeCallback="/t"/>', 12200, {}],
    ['<Record playBeep="1"/>', 13616, { rules: { playBeep: true } }],
    ['<Record trim="yes"/>', 13699, { rules: { trimSilence: true } }],
    [
      '<Record recordingStatusCallback="/r" recordingStatusCallbackEvent="done"/>',
      13621,
      { rules: { callback: { events: ['completed'] } } },
    ],
    ['<Record recordingStatusCallback="ftp://x/y"/>', 11100, { rules: { callback: undefined } }],
    [
      '<Record recordingStatusCallback="https://my_app.example/"/>',
      11100,
      { rules: { callback: undefined } },
    ],
    ['<Record><Say>x</Say></Record>', 12200, {}],
    ['<Refer method="PUT"><Sip>sip:a@b.example</Sip></Refer>', 12200, {}],
  ])('is warned of: %s', (body, code, verb) => {
    const { verbs, warnings } = parse(body);
    expect(warnings).toEqual([{ code, message: expect.any(String), line: 1, column: expect.any(Number) }]);
    expect(verbs).toMatchObject([verb]);
  });
});

describe('an element', () => {
  it.each<[string, string, number]>([
    ['that is no verb', '<Shout/>', 12200],
    ['that is no verb but a word of JavaScript', '<constructor/>', 12200],
    ['in the wrong letter case', '<say>x</say>', 12200],
    ['that is text', 'hello', 12200],
    ['of speech without text', '<Say> </Say>', 13520],
    ['of too much speech', `<Say>${'x'.repeat(4097)}</Say>`, 13521],
    ['of no audio', '<Play/>', 11100],
    ['of no tones', '<Play digits="x"/>', 13430],
    ['that redirects to nowhere', '<Redirect/>', 11100],
    ['that refers to nobody', '<Refer/>', 12200],
    ['that refers to two', '<Refer><Sip>a@b.c</Sip><Sip>a@b.c</Sip></Refer>', 12200],
    ['that refers to no SIP URI', '<Refer><Sip>+1555</Sip></Refer>', 13243],
    ...['Connect', 'Enqueue', 'Leave', 'Pay', 'Prompt', 'Sms', 'Start', 'Stop'].map(
      (verb): [string, string, number] => ['that is to come', `<${verb}/>`, 12200],
    ),
  ])('%s is skipped: %s', (_name, body, code) => {
    const { verbs, warnings } = parse(`${body}<Hangup/>`);
    expect(verbs).toMatchObject([{ verb: 'Hangup' }]);
    expect(warnings).toMatchObject([{ code }]);
  });

  it('that is to come is told from one that is none', () => {
    const body = '<Enqueue>x</Enqueue><Shout/><Sip>sip:a@b.example</Sip><Stream/><AiSession/><Conversation/>';
    expect(parse(body).warnings.map(({ message }) => message)).toEqual([
      '<Enqueue> is not supported yet; it is skipped',
      '<Shout> is no verb; it is skipped',
      '<Sip> is no verb: it stands in <Dial>; it is skipped',
      '<Stream> is no verb: it stands in <Connect> or <Start>; it is skipped',
      '<AiSession> is no verb: it stands in <Connect>; it is skipped',
      '<Conversation> is no verb: it stands in <Connect>; it is skipped',
    ]);
  });
});

describe('warnings', () => {
  it('name the line and column of the element', () => {
    const source = '<Response>\n  <Say>x</Say>\n  <Gather>\n    <Shout/>\n  </Gather>\n</Response>';
    expect(parseDocument(source).warnings).toMatchObject([{ code: 13320, line: 4, column: 12 }]);
  });

  it('are at most 50', () => {
    expect(parse('<a/>'.repeat(10_000)).warnings).toHaveLength(50);
  });

  it('are at most 200 characters long, and quote no URL, which may hold a password', () => {
    expect(parse(`<${'a'.repeat(60_000)}/>`).warnings[0]?.message).toHaveLength(200);
    const callback = '<Record recordingStatusCallback="ftp://u:secret@x"/>';
    expect(JSON.stringify(parse(callback).warnings)).not.toContain('secret');
  });
});
