import { describe, expect, it } from 'vitest';
import { parseDocument } from './document.ts';
import type { DialRules, DialTarget, Verb } from './verbs.ts';

const HERE = 'https://app.example/voice/start';

interface Read {
  readonly verb: Verb & { verb: 'Dial' };
  readonly rules: DialRules;
  readonly codes: readonly number[];
}

function read(dial: string): Read {
  const { verbs, warnings } = parseDocument(`<Response>${dial}</Response>`, HERE);
  const verb = verbs[0] as Read['verb'];
  return { verb, rules: verb.rules, codes: warnings.map(({ code }) => code) };
}

const sip = (uri: string): { target: DialTarget | undefined; codes: readonly number[] } => {
  const { rules, codes } = read(`<Dial><Sip>${uri}</Sip></Dial>`);
  return { target: rules.targets[0], codes };
};

describe('Dial', () => {
  it.each<[string, Partial<DialRules>]>([
    ['timeout="5"', { timeoutMs: 5000 }],
    ['timeout="600"', { timeoutMs: 600_000 }],
    ['timeLimit="1"', { timeLimitMs: 1000 }],
    ['timeLimit="86400"', { timeLimitMs: 86_400_000 }],
    ['callerId="+15550001111"', { callerId: '+15550001111', callerNumber: '+15550001111' }],
    ['callerId=""', { callerId: undefined }],
    ['callerId="+1 (555) 000-11.11"', { callerId: '+15550001111' }],
    ['callerId="112"', { callerId: '112' }],
    ['hangupOnStar="true" answerOnBridge="true"', { hangupOnStar: true, answerOnBridge: true }],
    ['sequential="true"', { sequential: true }],
    ['ringTone="us-old"', { ringTone: 'us-old' }],
    ['record="do-not-record" recordingTrack="inbound"', { record: undefined }],
    ['record="false"', { record: undefined }],
    ['callReason="x" events="call-progress-event" passports="x" recordingConfigurationId="x"', {}],
  ])('takes %s', (attributes, rules) => {
    const dial = read(`<Dial ${attributes}>+15551230000</Dial>`);
    expect(dial.rules).toMatchObject(rules);
    expect(dial.codes).toEqual([]);
  });

  it.each(['client:kate', 'Front.desk_1-a', '1'.repeat(255)])(
    'shows the callerId %s to a SIP address, and not to a number',
    (name) => {
      const nouns = '<Number>+15551230000</Number><Sip>a@b.example</Sip>';
      const { rules, codes } = read(`<Dial callerId="${name}">${nouns}</Dial>`);
      expect(rules).toMatchObject({ callerId: name, callerNumber: undefined });
      expect(codes).toEqual([13214]);
      expect(read(`<Dial callerId="${name}"><Sip>a@b.example</Sip></Dial>`).codes).toEqual([]);
    },
  );

  it.each<[string, string, number]>([
    ['true', 'answer', 1],
    ['record-from-answer', 'answer', 1],
    ['record-from-ringing', 'ringing', 1],
    ['record-from-answer-dual', 'answer', 2],
    ['record-from-ringing-dual', 'ringing', 2],
  ])('records as in %s', (record, from, channels) => {
    expect(read(`<Dial record="${record}">1</Dial>`).rules.record).toEqual({
      from,
      channels,
      track: 'both',
      trimSilence: false,
      callback: undefined,
    });
  });

  it('takes how the recording is made and told of', () => {
    const { rules, codes } = read(
      `<Dial record="true" trim="trim-silence" recordingTrack="outbound" recordingStatusCallback="/r"
        recordingStatusCallbackMethod="GET" recordingStatusCallbackEvent="completed in-progress">1</Dial>`,
    );
    expect(rules.record).toMatchObject({
      track: 'outbound',
      trimSilence: true,
      callback: { url: 'https://app.example/r', method: 'GET', events: ['in-progress', 'completed'] },
    });
    expect(codes).toEqual([]);
  });

  it('takes whom to ask afterwards', () => {
    expect(
      read('<Dial action="/d" method="GET" referUrl="/f" referMethod="GET">1</Dial>').verb,
    ).toMatchObject({
      action: { url: 'https://app.example/d', method: 'GET' },
      refer: { url: 'https://app.example/f', method: 'GET' },
    });
  });

  it.each<[string, number, Partial<DialRules>]>([
    ['method="PUT"', 13210, {}],
    ['referMethod="PUT"', 13210, {}],
    ['timeout="4"', 13212, { timeoutMs: 30_000 }],
    ['timeout="601"', 13212, { timeoutMs: 30_000 }],
    ['timeLimit="0"', 13216, { timeLimitMs: 14_400_000 }],
    ['timeLimit="86401"', 13216, { timeLimitMs: 14_400_000 }],
    ['callerId="&lt;sip:a@b&gt;"', 13214, { callerId: undefined }],
    ['callerId="a&#13;&#10;b"', 13214, { callerId: undefined }],
    [`callerId="${'1'.repeat(256)}"`, 13248, { callerId: undefined }],
    ['hangupOnStar="1"', 13213, { hangupOnStar: false }],
    ['answerOnBridge="1"', 13219, { answerOnBridge: false }],
    ['sequential="1"', 13218, { sequential: false }],
    ['ringTone="atlantis"', 13220, { ringTone: undefined }],
    ['record="yes"', 13217, { record: undefined }],
    ['recordingTrack="left"', 13622, {}],
    ['recordingStatusCallbackMethod="PUT"', 13256, {}],
    ['recordingStatusCallback="ftp://x"', 11100, {}],
    ['trim="yes"', 12200, {}],
    ['byoc="BY1"', 12200, {}],
    ['machineDetection="Enable"', 12200, {}],
  ])('warns of %s', (attributes, code, rules) => {
    const dial = read(`<Dial ${attributes}>+15551230000</Dial>`);
    expect(dial.codes).toEqual([code]);
    expect(dial.rules).toMatchObject({ ...rules, targets: [{ number: '+15551230000' }] });
  });

  it.each([
    ['timeout="4"', '<Dial timeout> is no whole number from 5 to 600; 30 is taken'],
    ['record="x"', '<Dial record> is unknown, do-not-record is taken; known are '],
    ['ringTone="x"', '<Dial ringTone> is unknown, it is left out; known are '],
    ['method="PUT"', '<Dial method> is neither GET nor POST; POST is taken'],
    ['sequential="x"', '<Dial sequential> is neither true nor false; false is taken'],
  ])('says what it does about %s', (attributes, words) => {
    const { warnings } = parseDocument(`<Response><Dial ${attributes}>1</Dial></Response>`);
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining(words)]);
  });

  it.each<[string, number, number]>([
    ['<Dial/>', 13223, 0],
    ['<Dial>Mum</Dial>', 13223, 0],
    ['<Dial>sip:a@b.example</Dial>', 13223, 0],
    [`<Dial>${'1'.repeat(33)}</Dial>`, 13223, 0],
    ['<Dial>+1<Number>+2</Number></Dial>', 12200, 1],
    ['<Dial><Number>x</Number><Number>+2</Number></Dial>', 13223, 1],
    ['<Dial><Say>x</Say><Number>+2</Number></Dial>', 13215, 1],
    ['<Dial><Conference>room</Conference></Dial>', 12200, 0],
    ['<Dial><Queue>q</Queue></Dial>', 12200, 0],
    ['<Dial><Client>kate</Client><Number>1</Number></Dial>', 12200, 1],
    ['<Dial><Application>AP1</Application></Dial>', 12200, 0],
    [`<Dial>${'<Number>1</Number>'.repeat(11)}</Dial>`, 13250, 10],
    [`<Dial>${'<Number>1</Number>'.repeat(10)}</Dial>`, 0, 10],
  ])('rings %s', (dial, code, targets) => {
    const { rules, codes } = read(dial);
    expect(codes).toEqual(code === 0 ? [] : [code]);
    expect(rules.targets).toHaveLength(targets);
  });

  it('says that a Conference stands alone', () => {
    const { codes } = read('<Dial><Conference>r</Conference><Number>1</Number></Dial>');
    expect(codes).toEqual([13000, 12200]);
  });

  it('reads a number as people write it', () => {
    const { rules } = read('<Dial> +1 (555) 123-00.00\n</Dial>');
    expect(rules.targets).toMatchObject([{ noun: 'Number', number: '+15551230000' }]);
  });
});

describe('Number', () => {
  it('takes its attributes', () => {
    const { rules, codes } = read(
      `<Dial><Number sendDigits="ww1#" byoc="BY1" url="/s" method="GET" statusCallback="/c"
        statusCallbackMethod="GET" statusCallbackEvent="answered initiated ringing completed">+1</Number></Dial>`,
    );
    expect(codes).toEqual([]);
    expect(rules.targets).toEqual([
      {
        noun: 'Number',
        number: '+1',
        sendDigits: 'ww1#',
        byoc: 'BY1',
        screening: { url: 'https://app.example/s', method: 'GET' },
        callback: {
          url: 'https://app.example/c',
          method: 'GET',
          events: ['initiated', 'ringing', 'answered', 'completed'],
        },
      },
    ]);
  });

  it.each<[string, number]>([
    ['sendDigits="x"', 13222],
    ['method="PUT"', 13221],
    ['statusCallbackMethod="PUT"', 13221],
    ['statusCallback="/c" statusCallbackEvent="busy"', 13221],
    ['statusCallback="mailto:a@b.example"', 11100],
    ['machineDetection="Enable" machineDetectionTimeout="3"', 12200],
    ['username="a"', 12200],
  ])('warns of %s', (attributes, code) => {
    const { rules, codes } = read(`<Dial><Number ${attributes}>+1</Number></Dial>`);
    expect(codes).toEqual([code]);
    expect(rules.targets).toMatchObject([{ number: '+1', sendDigits: '' }]);
  });
});

describe('Sip', () => {
  it('takes its attributes', () => {
    const { rules, codes } = read(
      `<Dial><Sip username="u" password="" url="/s" method="GET" statusCallback="/c">sip:a@b.example</Sip></Dial>`,
    );
    expect(codes).toEqual([]);
    expect(rules.targets).toEqual([
      {
        noun: 'Sip',
        address: { uri: 'sip:a@b.example', secure: false, headers: [] },
        credentials: { username: 'u', password: '' },
        screening: { url: 'https://app.example/s', method: 'GET' },
        callback: { url: 'https://app.example/c', method: 'POST', events: ['completed'] },
      },
    ]);
  });

  it.each<[string, number]>([
    ['username="u"', 13249],
    ['password="p"', 13249],
    ['method="PUT"', 13241],
    ['statusCallbackEvent="x"', 13241],
    ['byoc="BY1"', 12200],
    ['machineDetection="Enable"', 12200],
  ])('warns of %s', (attributes, code) => {
    const { rules, codes } = read(`<Dial><Sip ${attributes}>sip:a@b.example</Sip></Dial>`);
    expect(codes).toEqual([code]);
    expect(rules.targets).toMatchObject([{ credentials: undefined }]);
  });

  it.each<[string, object]>([
    ['kate@example.com', { uri: 'sip:kate@example.com', secure: false }],
    ['SIP:kate@example.com', { uri: 'sip:kate@example.com' }],
    ['sip:example.com', { uri: 'sip:example.com' }],
    ['\n  sip:a@b.example:1\n', { uri: 'sip:a@b.example:1' }],
    ['sip:a@b.example:65535', { uri: 'sip:a@b.example:65535' }],
    ['sip:a@10.0.0.1:5070;transport=tcp', { uri: 'sip:a@10.0.0.1:5070;transport=tcp' }],
    ['sip:a@[::1]:5070', { uri: 'sip:a@[::1]:5070' }],
    ['sip:a@b.example;user=phone;edge=dublin;region=ie1;tnx=1', { uri: 'sip:a@b.example;user=phone' }],
    ['sip:a@b.example;secure=true', { uri: 'sip:a@b.example', secure: true }],
    ['sip:a@b.example;secure=false', { secure: false }],
    ['sips:a@b.example;user=phone', { uri: 'sip:a@b.example;transport=tls;user=phone' }],
    ['sips:a@b.example;transport=tls', { uri: 'sip:a@b.example;transport=tls' }],
    [`sip:${'a'.repeat(240)}@b.example`, { secure: false }],
    [
      'sip:a@b.example?X-One=1&amp;x-two=a%20b%3D&amp;User-to-User=u&amp;Remote-Party-ID=r&amp;P-Preferred-Identity=i&amp;P-Called-Party-ID=c&amp;X-Empty',
      {
        uri: 'sip:a@b.example',
        headers: [
          { name: 'X-One', value: '1' },
          { name: 'x-two', value: 'a b=' },
          { name: 'User-to-User', value: 'u' },
          { name: 'Remote-Party-ID', value: 'r' },
          { name: 'P-Preferred-Identity', value: 'i' },
          { name: 'P-Called-Party-ID', value: 'c' },
          { name: 'X-Empty', value: '' },
        ],
      },
    ],
    [`sip:a@b.example?X-A=${'1'.repeat(1019)}`, { headers: [{ name: 'X-A' }] }],
  ])('reads %s', (uri, address) => {
    const { target, codes } = sip(uri);
    expect(codes).toEqual([]);
    expect(target).toMatchObject({ address });
  });

  it.each([
    '',
    'kate',
    '+15550001111',
    'tel:+1555',
    'http://b.example',
    'sip:',
    'sip:a b@c.example',
    'sip:a@b:0',
    'sip:a@b:65536',
    'sip:a@b:x',
    'sip:a@b_c',
    'sip:a@b;',
    'sip:a@[::1',
    'sip:a@@b',
    `sip:${'a'.repeat(250)}@b.c`,
    'sip:a@b.example&gt;;x',
  ])('rings nobody at "%s"', (uri) => expect(sip(uri)).toEqual({ target: undefined, codes: [13243] }));

  it.each<[string, number]>([
    ['sip:a@b.example;secure=yes', 32114],
    ['sip:a@b.example;transport=sctp', 32114],
    ['sip:a@b.example?Subject=x', 13252],
    ['sip:a@b.example?user-to-user=x', 13252],
    ['sip:a@b.example?X-A%0d%0aVia=x', 13252],
    ['sip:a@b.example?X-%zz=x', 13252],
    ['sip:a@b.example?X-Twilio-CallSid=x', 32113],
    ['sip:a@b.example?x-twilio=x', 32113],
    ['sip:a@b.example?X-A=1%0d%0aVia:%20x', 32112],
    ['sip:a@b.example?X-A=%zz', 32112],
    [`sip:a@b.example?X-A=${'1'.repeat(1020)}`, 13253],
  ])('leaves out what may not be set: %s', (uri, code) => {
    const { target, codes } = sip(uri);
    expect(codes).toEqual([code]);
    expect(target).toMatchObject({ address: { uri: 'sip:a@b.example', secure: false, headers: [] } });
  });
});

describe('<Refer><Sip>', () => {
  const headersOf = (headers: string) => {
    const uri = `<Sip>sip:a@b.example?${headers}</Sip>`;
    const { verbs, warnings } = parseDocument(`<Response><Refer>${uri}</Refer></Response>`);
    const [verb] = verbs;
    return {
      headers: verb?.verb === 'Refer' && verb.target.headers,
      codes: warnings.map(({ code }) => code),
    };
  };

  it('may have any header', () => {
    expect(headersOf('Subject=Hi&amp;Replaces=c%3Bto-tag%3D1')).toEqual({
      headers: [
        { name: 'Subject', value: 'Hi' },
        { name: 'Replaces', value: 'c;to-tag=1' },
      ],
      codes: [],
    });
  });

  it.each([
    ['A%0d%0aB=1', 13252],
    ['=1', 13252],
    ['Subject=1%0d%0aB', 32112],
    ['X-Twilio-A=1', 32113],
  ])('leaves out what is none: %s', (headers, code) => {
    expect(headersOf(headers)).toEqual({ headers: [], codes: [code] });
  });
});
