import { describe, expect, it } from 'vitest';
import { type Stage, transcript } from '../../test/twiml/transcript.ts';
import { parseDocument } from './document.ts';
import { advance, beginDocument } from './interpreter.ts';

const HERE = 'https://app.example/start';
const RINGING: Stage = { url: HERE, answered: false };
const SCREENING: Stage = { url: HERE, role: 'screening' };
const END = 'hang up: the TwiML came to its end';
const DIAL = 'dial for 30 s, talk for 14400 s';
const KEYS = '1234567890*#';
const RECORDED = 'RecordingUrl=https://tandem.example/RE1 RecordingSid=RE1 RecordingDuration=7';

const run = (body: string, inputs: readonly string[] = [], stage: Stage = { url: HERE }): string[] =>
  transcript(`<Response>${body}</Response>`, inputs, stage);

describe('an answered call', () => {
  it.each<[string, string[], string[]]>([
    ['', [], [END]],
    ['<Say>Hello</Say><Pause/>', [], ['say "Hello"', 'pause 1 s', END]],
    ['<Say loop="2">Hi</Say><Hangup/><Say>never</Say>', [], ['say "Hi"', 'say "Hi"', 'hang up: <Hangup>']],
    ['<Say voice="woman" language="de">Ja</Say>', [], ['say "Ja" woman de', END]],
    [
      '<Play loop="2">a.wav</Play>',
      [],
      ['play https://app.example/a.wav', 'play https://app.example/a.wav', END],
    ],
    ['<Play digits="1w2" loop="2"/>', [], ['play the digits 1w2', 'play the digits 1w2', END]],
    ['<Redirect>next?a=1</Redirect><Say>never</Say>', [], ['POST https://app.example/next?a=1']],
    ['<Redirect method="GET">/next</Redirect>', [], ['GET https://app.example/next']],
    ['<Reject/><Say>never</Say>', [], ['hang up: <Reject>']],
    ['<Say>a</Say><Reject reason="busy"/>', [], ['say "a"', 'hang up: <Reject>']],
    ['<Play>ftp://x/y</Play>', [], ['! 11100 <Play> names no absolute http URL; it is skipped', END]],
  ])('of %s', (body, inputs, lines) => {
    expect(run(body, inputs)).toEqual(lines);
  });

  it('is warned of at most 50 flaws', () => {
    expect(run('<Play>a</Play>'.repeat(4000), [], {})).toHaveLength(51);
  });

  it('repeats a prompt of loop 0 a thousand times', () => {
    expect(run('<Say loop="0">x</Say>')).toHaveLength(1001);
    expect(run('<Play digits="1" loop="0"/>')).toHaveLength(1001);
  });
});

describe('a call that rings', () => {
  it.each<[string, string[], string[]]>([
    ['', [], ['answer', END]],
    ['<Hangup/>', [], ['answer', 'hang up: <Hangup>']],
    ['<Say>a</Say><Say>b</Say>', [], ['answer', 'say "a"', 'say "b"', END]],
    ['<Play digits="1"/>', [], ['answer', 'play the digits 1', END]],
    ['<Gather/>', [], ['answer', 'gather until # or 5 s of silence']],
    ['<Record/>', [], ['answer', `record until ${KEYS} or 5 s of silence or 3600 s`]],
    ['<Reject/><Say>never</Say>', [], ['reject rejected']],
    ['<Reject reason="busy"/>', [], ['reject busy']],
    ['<Pause/><Say>a</Say>', [], ['pause 1 s', 'answer', 'say "a"', END]],
    ['<Pause/><Reject/>', [], ['pause 1 s', 'answer', 'hang up: <Reject>']],
    ['<Pause/><Pause/>', [], ['pause 1 s', 'answer', 'pause 1 s', END]],
    ['<Say>a</Say><Reject/>', [], ['answer', 'say "a"', 'hang up: <Reject>']],
    ['<Redirect>/next</Redirect>', [], ['POST https://app.example/next']],
    ['<Refer><Sip>a@b.example</Sip></Refer>', [], ['answer', 'refer to sip:a@b.example']],
    ['<Dial>1</Dial>', ['busy'], ['answer', DIAL, '  1', '← busy', END]],
    [
      '<Dial answerOnBridge="true">1</Dial><Say>a</Say>',
      ['busy'],
      [`${DIAL}, answer on bridge`, '  1', '← busy', 'answer', 'say "a"', END],
    ],
    [
      '<Dial answerOnBridge="true">1</Dial><Say>a</Say>',
      ['bridged 3 s'],
      [`${DIAL}, answer on bridge`, '  1', '← bridged 3 s', 'say "a"', END],
    ],
  ])('hears %s', (body, inputs, lines) => {
    expect(run(body, inputs, RINGING)).toEqual(lines);
  });

  it('tells the next document whether it was answered', () => {
    const ringing = beginDocument(parseDocument('<Response><Redirect>/x</Redirect></Response>', HERE), {
      answered: false,
    });
    expect(ringing.state.answered).toBe(false);
    const say = beginDocument(
      parseDocument('<Response><Say>x</Say><Redirect>/x</Redirect></Response>', HERE),
      { answered: false },
    );
    expect(advance(say.state, { type: 'answered' }).state.answered).toBe(true);
  });
});

describe('Gather', () => {
  const G = 'gather until # or 5 s of silence';
  it.each<[string, string[], string[]]>([
    [
      '<Gather/><Say>never</Say>',
      ['digits 12 then #'],
      [G, '← digits 12 then #', `POST ${HERE} Digits=12 FinishedOnKey=# msg=Gather End`],
    ],
    [
      '<Gather action="/g" method="GET" numDigits="1"/>',
      ['digits 1'],
      [
        'gather until 1 digits or # or 5 s of silence',
        '← digits 1',
        'GET https://app.example/g Digits=1 FinishedOnKey= msg=Gather End',
      ],
    ],
    ['<Gather/><Say>none</Say>', ['nothing'], [G, '← nothing', 'say "none"', END]],
    ['<Gather/><Say>none</Say>', ['digits  then #'], [G, '← digits  then #', 'say "none"', END]],
    [
      '<Gather actionOnEmptyResult="true"/><Say>never</Say>',
      ['nothing'],
      [G, '← nothing', `POST ${HERE} Digits= FinishedOnKey= msg=Gather End`],
    ],
    [
      '<Gather><Say loop="2">a</Say><Play>b.wav</Play><Play>ftp://y</Play><Pause/></Gather>',
      [],
      [
        '! 11100 <Play> names no absolute http URL; it is skipped',
        G,
        '  say "a" 2 times',
        '  play https://app.example/b.wav',
        '  pause 1 s',
      ],
    ],
    ['<Gather/>', ['the caller hangs up'], [G, '← the caller hangs up', 'over']],
    [
      '<Gather action="mailto:x"/>',
      ['digits 1'],
      [G, '← digits 1', 'fail 11100 <Gather action> is no absolute http URL'],
    ],
  ])('%s', (body, inputs, lines) => {
    expect(run(body, inputs)).toEqual(lines);
  });

  it('without an action fails in a document without a URL', () => {
    expect(run('<Gather/>', ['digits 1'], {}).at(-1)).toBe(
      'fail 11100 <Gather action> is no absolute http URL',
    );
  });
});

describe('Record', () => {
  const R = `record until ${KEYS} or 5 s of silence or 3600 s`;
  it.each<[string, string[], string[]]>([
    [
      '<Record/><Say>never</Say>',
      ['recorded 7 s'],
      [R, '← recorded 7 s', `POST ${HERE} ${RECORDED} Digits=`],
    ],
    [
      '<Record action="/r" method="GET"/>',
      ['recorded 7 s until #'],
      [R, '← recorded 7 s until #', `GET https://app.example/r ${RECORDED} Digits=#`],
    ],
    ['<Record/><Say>none</Say>', ['no recording'], [R, '← no recording', 'say "none"', END]],
    [
      '<Record/>',
      ['the caller hangs up', 'recorded 7 s'],
      [
        R,
        '← the caller hangs up',
        '← recorded 7 s',
        `POST ${HERE} ${RECORDED} Digits=hangup (the answer is ignored)`,
      ],
    ],
    [
      '<Record/><Say>never</Say>',
      ['the caller hangs up', 'no recording'],
      [R, '← the caller hangs up', '← no recording', 'over'],
    ],
    [
      '<Record action="mailto:x"/>',
      ['the caller hangs up', 'recorded 7 s'],
      [R, '← the caller hangs up', '← recorded 7 s', 'over'],
    ],
    [
      '<Record timeout="0" finishOnKey="" maxLength="9" playBeep="false" trim="do-not-trim" recordingStatusCallback="/c"/>',
      [],
      ['record until 9 s, no beep, untrimmed', '  tell POST https://app.example/c completed'],
    ],
  ])('%s', (body, inputs, lines) => {
    expect(run(body, inputs)).toEqual(lines);
  });
});

describe('Dial', () => {
  const A = 'POST https://app.example/d';
  it.each<[string, string[], string[]]>([
    ['<Dial>1</Dial><Say>a</Say>', ['bridged 3 s'], [DIAL, '  1', '← bridged 3 s', 'say "a"', END]],
    [
      '<Dial action="/d">1</Dial><Say>never</Say>',
      ['bridged 3 s'],
      [
        DIAL,
        '  1',
        '← bridged 3 s',
        `${A} DialCallStatus=completed DialCallSid=CA2 DialCallDuration=3 DialBridged=true`,
      ],
    ],
    [
      '<Dial action="/d" method="GET">1</Dial>',
      ['no-answer'],
      [
        DIAL,
        '  1',
        '← no-answer',
        'GET https://app.example/d DialCallStatus=no-answer DialCallSid=CA2 DialBridged=false',
      ],
    ],
    [
      '<Dial action="/d">1</Dial>',
      ['the caller hangs up', 'canceled'],
      [
        DIAL,
        '  1',
        '← the caller hangs up',
        '← canceled',
        `${A} DialCallStatus=canceled DialCallSid=CA2 DialBridged=false (the answer is ignored)`,
      ],
    ],
    [
      '<Dial>1</Dial><Say>never</Say>',
      ['the caller hangs up', 'canceled'],
      [DIAL, '  1', '← the caller hangs up', '← canceled', 'over'],
    ],
    [
      '<Dial action="/d"><Conference>r</Conference></Dial><Say>never</Say>',
      [],
      [
        '! 12200 <Dial><Conference> is not supported yet; it is skipped',
        `${A} DialCallStatus=failed DialBridged=false`,
      ],
    ],
    [
      '<Dial><Queue>q</Queue></Dial><Say>a</Say>',
      [],
      ['! 12200 <Dial><Queue> is not supported yet; it is skipped', 'say "a"', END],
    ],
    [
      '<Dial referUrl="/f">1</Dial>',
      ['REFER to sip:c@d.example'],
      [
        DIAL,
        '  1',
        '← REFER to sip:c@d.example',
        'POST https://app.example/f ReferTransferTarget=sip:c@d.example',
      ],
    ],
    [
      '<Dial>1</Dial><Say>a</Say>',
      ['REFER to sip:c@d.example', 'bridged 3 s'],
      [
        DIAL,
        '  1',
        '← REFER to sip:c@d.example',
        '! 13802 <Dial> has no referUrl; a REFER is refused',
        '← bridged 3 s',
        'say "a"',
        END,
      ],
    ],
  ])('%s after %j', (body, inputs, lines) => {
    expect(run(body, inputs)).toEqual(lines);
  });

  it('of nobody is passed over, however often', () => {
    expect(run('<Dial/>'.repeat(9000)).at(-1)).toBe(END);
  });

  it('tells everything of a SIP leg', () => {
    const document = parseDocument(
      '<Response><Dial action="/d"><Sip>a@b.example</Sip></Dial></Response>',
      HERE,
    );
    const { state } = beginDocument(document, { answered: true });
    const { action } = advance(state, {
      type: 'dialed',
      outcome: {
        status: 'completed',
        callSid: 'CA2',
        durationS: 0,
        bridged: true,
        recordingUrl: 'https://tandem.example/RE1',
        sip: { callId: 'x@y', responseCode: 200, headers: [{ name: 'X-Order', value: '7' }] },
      },
    });
    expect(action).toEqual({
      type: 'fetch',
      by: '<Dial action>',
      url: 'https://app.example/d',
      method: 'POST',
      answer: 'run',
      parameters: {
        DialCallStatus: 'completed',
        DialCallSid: 'CA2',
        DialCallDuration: '0',
        DialBridged: 'true',
        RecordingUrl: 'https://tandem.example/RE1',
        DialSipCallId: 'x@y',
        DialSipResponseCode: '200',
        'DialSipHeader_X-Order': '7',
      },
    });
  });
});

describe('Refer', () => {
  const BODY = '<Refer action="/r"><Sip>a@b.example</Sip></Refer><Say>never</Say>';
  const LINE = 'refer to sip:a@b.example';
  it.each<[string, string[], string[]]>([
    [
      BODY,
      ['referred in-progress 202 200'],
      [
        'POST https://app.example/r ReferCallStatus=in-progress ReferSipResponseCode=202 NotifySipResponseCode=200',
      ],
    ],
    [
      BODY,
      ['referred failed 405'],
      ['POST https://app.example/r ReferCallStatus=failed ReferSipResponseCode=405'],
    ],
    ['<Refer><Sip>a@b.example</Sip></Refer><Say>a</Say>', ['referred busy 202 486'], ['say "a"', END]],
  ])('%s after %j', (body, inputs, lines) => {
    expect(run(body, inputs)).toEqual([LINE, ...inputs.map((input) => `← ${input}`), ...lines]);
  });

  it('tells the app even when the caller has left', () => {
    expect(run(BODY, ['the caller hangs up', 'referred canceled 202 180']).at(-1)).toBe(
      'POST https://app.example/r ReferCallStatus=canceled ReferSipResponseCode=202 NotifySipResponseCode=180 (the answer is ignored)',
    );
  });
});

describe('a screening', () => {
  it.each<[string, string[], string[]]>([
    ['', [], ['bridge']],
    ['<Say>a</Say>', [], ['say "a"', 'bridge']],
    [
      '<Gather numDigits="1"/><Hangup/>',
      ['nothing'],
      ['gather until 1 digits or # or 5 s of silence', '← nothing', 'hang up: <Hangup>'],
    ],
    [
      '<Dial>1</Dial><Say>a</Say>',
      [],
      ['! 13201 <Dial> may not stand in a screening; it is skipped', 'say "a"', 'bridge'],
    ],
    ['<Reject/>', [], ['hang up: <Reject>']],
  ])('of %s', (body, inputs, lines) => {
    expect(run(body, inputs, SCREENING)).toEqual(lines);
  });
});
