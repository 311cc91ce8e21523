import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { begin, step, type TwimlAction } from './interpreter.ts';
import { parseTwiml } from './verbs.ts';
import { TwimlError } from './xml.ts';

/** Every action of a document up to its end, or to `most` of them. */
function run(source: string, most = 10): TwimlAction[] {
  let state = begin(parseTwiml(source).verbs);
  const actions: TwimlAction[] = [];
  while (actions.length < most && actions.at(-1)?.type !== 'hangup') {
    const next = step(state);
    state = next.state;
    actions.push(next.action);
  }
  return actions;
}

const say = (text: string) => ({ type: 'say', text, voice: 'man', language: 'en-US' });
const END = { type: 'hangup', why: 'the TwiML came to its end' };

describe('a document', () => {
  it.each<[string, string, object[]]>([
    ['is empty', '<Response/>', [END]],
    ['speaks', '<Response><Say>Hello</Say></Response>', [say('Hello'), END]],
    ['speaks twice', '<Response><Say loop="2">Hi</Say></Response>', [say('Hi'), say('Hi'), END]],
    ['has entities', '<Response><Say>a &amp; b &#x263A;</Say></Response>', [say('a & b ☺'), END]],
    ['has CDATA', '<Response><Say><![CDATA[<b>]]></Say></Response>', [say('<b>'), END]],
    [
      'has SSML',
      '<Response><Say>one <emphasis>two</emphasis> three</Say></Response>',
      [say('one two three'), END],
    ],
    [
      'plays',
      '<Response><Play loop="2"> http://app/a.wav </Play></Response>',
      [{ type: 'play', url: 'http://app/a.wav' }, { type: 'play', url: 'http://app/a.wav' }, END],
    ],
    ['pauses', '<Response><Pause length="3"/></Response>', [{ type: 'pause', durationMs: 3000 }, END]],
    [
      'pauses a second by default',
      '<Response><Pause/></Response>',
      [{ type: 'pause', durationMs: 1000 }, END],
    ],
    [
      'hangs up in the middle',
      '<Response><Hangup/><Say>never</Say></Response>',
      [{ type: 'hangup', why: '<Hangup>' }],
    ],
    [
      'redirects',
      '<Response><Redirect method="GET"> /next </Redirect></Response>',
      [{ type: 'fetch', url: '/next', method: 'GET' }, END],
    ],
    ['begins with a declaration and a comment', '<?xml version="1.0"?><!-- x --><Response/>', [END]],
  ])('that %s', (_name, source, actions) => {
    expect(run(source)).toEqual(actions);
  });

  it('repeats a Say of loop 0 a thousand times', () => {
    expect(run('<Response><Say loop="0">x</Say></Response>', 2000)).toHaveLength(1001);
  });

  it.each<[string, string, number]>([
    ['an unknown verb', '<Response><Shout/></Response>', 12200],
    ['a verb that is to come', '<Response><Dial>+1</Dial></Response>', 12200],
    ['an unknown attribute', '<Response><Say volume="1">x</Say></Response>', 12200],
    ['a wrong letter case', '<Response><say>x</say></Response>', 12200],
    ['a Say without text', '<Response><Say> </Say></Response>', 13520],
    ['a Say that is too long', `<Response><Say>${'x'.repeat(4097)}</Say></Response>`, 13521],
    ['a bad loop', '<Response><Say loop="-1">x</Say></Response>', 13510],
    ['a Play of nothing', '<Response><Play/></Response>', 11100],
    ['a bad Play loop', '<Response><Play loop="x">http://app/a.wav</Play></Response>', 13410],
    ['Play digits', '<Response><Play digits="1"/></Response>', 12200],
    ['a bad length', '<Response><Pause length="0"/></Response>', 13910],
    ['a bad method', '<Response><Redirect method="PUT">/x</Redirect></Response>', 13710],
    ['a Redirect to nowhere', '<Response><Redirect/></Response>', 11100],
  ])('warns of %s and goes on', (_name, source, code) => {
    expect(parseTwiml(source).warnings).toMatchObject([{ code, line: 1 }]);
  });

  it('tells the line of a flaw', () => {
    expect(parseTwiml('<Response>\n  <Say>x</Say>\n  <Shout/>\n</Response>').warnings).toMatchObject([
      { line: 3 },
    ]);
  });

  it.each<[string, string, number]>([
    ['no XML', 'Hello', 12100],
    ['nothing', '', 12100],
    ['an unclosed tag', '<Response><Say>x</Response>', 12100],
    ['two roots', '<Response/><Response/>', 12100],
    ['a blank before the declaration', ' <?xml version="1.0"?><Response/>', 12100],
    ['an unknown entity', '<Response><Say>&bomb;</Say></Response>', 12100],
    ['another root', '<Play/>', 12102],
    ['deep nesting', `<Response>${'<a>'.repeat(50)}${'</a>'.repeat(50)}</Response>`, 12100],
    ['more than 64 KB', `<Response><Say>${'x'.repeat(70_000)}</Say></Response>`, 11750],
  ])('that is %s cannot run', (_name, source, code) => {
    expect(() => parseTwiml(source)).toThrow(expect.objectContaining({ name: 'TwimlError', code }));
  });

  it('never throws anything but TwimlError', () => {
    const pieces = [
      '<Response>',
      '</Response>',
      '<Say',
      ' loop="',
      '"',
      '>',
      '</Say>',
      '&',
      'x',
      '<![CDATA[',
      ']]>',
      '<!DOCTYPE a [<!ENTITY b "c">]>',
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 12 }), (parts) => {
        try {
          parseTwiml(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(TwimlError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
