// What the official client's builder writes is read without a warning, and means what was asked of the builder.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import twilio from 'twilio';
import { expect, it } from 'vitest';
import { parseDocument } from '../../src/twiml/index.ts';

const { VoiceResponse } = twilio.twiml;

it('reads every verb as the official client writes it', () => {
  const response = new VoiceResponse();
  response.say({ voice: 'Polly.Joanna', language: 'en-GB', loop: 2 }, 'a < b & "c"');
  response.play({ loop: 0 }, 'https://app.example/a.wav?x=1&y=2');
  response.pause({ length: 3 });
  const gather = response.gather({
    input: ['dtmf'],
    numDigits: 1,
    timeout: 2,
    finishOnKey: '',
    action: '/g',
  });
  gather.say('1 or 2?');
  response.record({
    maxLength: 9,
    recordingStatusCallback: '/r',
    recordingStatusCallbackEvent: ['in-progress', 'absent'],
  });
  const dial = response.dial({
    answerOnBridge: true,
    record: 'record-from-ringing-dual',
    ringTone: 'de',
    timeLimit: 60,
  });
  dial.number(
    { statusCallbackEvent: ['initiated', 'answered'], statusCallback: '/s', byoc: 'BY1' },
    '+1 555 0001111',
  );
  dial.sip({ username: 'u', password: 'p' }, 'sip:kate@pbx.example?X-A=1&X-B=a%20b');
  response.refer({ action: '/f' }).sip('sip:desk@pbx.example');
  response.reject({ reason: 'busy' });
  response.redirect({ method: 'GET' }, '/next');
  response.hangup();

  const { verbs, warnings } = parseDocument(response.toString(), 'https://app.example/');
  expect(warnings).toEqual([]);
  expect(verbs).toMatchObject([
    { verb: 'Say', text: 'a < b & "c"', voice: 'Polly.Joanna', language: 'en-GB', loop: 2 },
    { verb: 'Play', url: 'https://app.example/a.wav?x=1&y=2', loop: 1000 },
    { verb: 'Pause', durationMs: 3000 },
    {
      verb: 'Gather',
      action: { url: 'https://app.example/g' },
      rules: { dtmf: true, numDigits: 1, timeoutMs: 2000, finishOnKey: '' },
      prompts: [{ text: '1 or 2?' }],
    },
    { verb: 'Record', rules: { maxLengthMs: 9000, callback: { events: ['in-progress', 'absent'] } } },
    {
      verb: 'Dial',
      rules: {
        answerOnBridge: true,
        ringTone: 'de',
        timeLimitMs: 60_000,
        record: { from: 'ringing', channels: 2 },
        targets: [
          {
            number: '+15550001111',
            byoc: 'BY1',
            callback: { url: 'https://app.example/s', events: ['initiated', 'answered'] },
          },
          {
            address: {
              uri: 'sip:kate@pbx.example',
              headers: [
                { name: 'X-A', value: '1' },
                { name: 'X-B', value: 'a b' },
              ],
            },
            credentials: { username: 'u', password: 'p' },
          },
        ],
      },
    },
    { verb: 'Refer', action: { url: 'https://app.example/f' }, target: { uri: 'sip:desk@pbx.example' } },
    { verb: 'Reject', reason: 'busy' },
    { verb: 'Redirect', to: { url: 'https://app.example/next', method: 'GET' } },
    { verb: 'Hangup' },
  ]);
});

const TYPES = readFileSync(
  createRequire(import.meta.url).resolve('twilio/lib/twiml/VoiceResponse.d.ts'),
  'utf8',
);

/** Of the client's type with this name. */
const valuesOf = (type: string): string[] =>
  [...(new RegExp(`type ${type} = ([^;]*);`).exec(TYPES)?.[1] ?? '').matchAll(/"([^"]*)"/g)].map(
    ([, value = '']) => value,
  );

it.each<[type: string, attribute: string, write: (attribute: string) => string]>([
  ['SayVoice', 'voice', (voice) => `<Say ${voice}>x</Say>`],
  ['SayLanguage', 'language', (language) => `<Say ${language}>x</Say>`],
  ['DialRecord', 'record', (record) => `<Dial ${record}>1</Dial>`],
  ['DialRecordingEvent', 'recordingStatusCallbackEvent', (event) => `<Dial ${event}>1</Dial>`],
  ['DialRecordingTrack', 'recordingTrack', (track) => `<Dial ${track}>1</Dial>`],
  ['DialRingTone', 'ringTone', (tone) => `<Dial ${tone}>1</Dial>`],
  ['DialTrim', 'trim', (trim) => `<Dial ${trim}>1</Dial>`],
  ['NumberEvent', 'statusCallbackEvent', (event) => `<Dial><Number ${event}>1</Number></Dial>`],
  ['SipEvent', 'statusCallbackEvent', (event) => `<Dial><Sip ${event}>a@b.example</Sip></Dial>`],
  ['RecordRecordingEvent', 'recordingStatusCallbackEvent', (event) => `<Record ${event}/>`],
  ['RecordTrim', 'trim', (trim) => `<Record ${trim}/>`],
  ['RejectReason', 'reason', (reason) => `<Reject ${reason}/>`],
])('knows every value of its type %s', (type, attribute, write) => {
  const values = valuesOf(type);
  expect(values.length).toBeGreaterThan(1);
  const odd = values.filter(
    (value) => parseDocument(`<Response>${write(`${attribute}="${value}"`)}</Response>`).warnings.length > 0,
  );
  expect(odd).toEqual([]);
});
