// Texts that nobody wrote: whatever they are, they give a document or a TwimlError, soon.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from './document.ts';
import { TwimlError } from './xml.ts';

const HERE = 'https://app.example/voice/start';
const parse = (body: string) => parseDocument(`<Response>${body}</Response>`, HERE);

describe('any text', () => {
  const PIECES = [
    '<Response>',
    '</Response>',
    '<Say',
    ' loop="',
    '"',
    '>',
    '/>',
    '</Say>',
    '&',
    'x',
    '<![CDATA[',
    ']]>',
    '<!DOCTYPE a [<!ENTITY b "c">]>',
    '<Dial',
    '<Sip>',
    'sip:a@b?X-A=%0d',
    '</Sip>',
    '</Dial>',
    '<Gather',
    ' finishOnKey="#"',
    ' __proto__="1"',
    '<__proto__/>',
    '</Gather>',
    '<Number',
    '+1',
    ';secure=',
  ];
  const parses = (source: string): void => {
    try {
      parseDocument(source, HERE);
    } catch (error) {
      expect(error).toBeInstanceOf(TwimlError);
    }
  };

  it('gives a document or a TwimlError', () => {
    const text = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string()), { maxLength: 20 });
    fc.assert(
      fc.property(text, (parts) => parses(parts.join(''))),
      { numRuns: 2000 },
    );
  });

  it('of well-formed elements gives a document, whatever they are', () => {
    const name = fc.constantFrom(
      ...'Say Play Pause Dial Number Sip Gather Record Refer Reject Redirect Hangup Conference Foo'.split(
        ' ',
      ),
    );
    const attribute = fc.constantFrom(
      ...'loop voice language digits action method timeout finishOnKey numDigits length record callerId reason url byoc username password trim'.split(
        ' ',
      ),
    );
    const safe = fc.string({ maxLength: 12 }).map((text) => text.replace(/[<>&"\p{C}]/gu, ''));
    const { element } = fc.letrec<{ element: string }>((tie) => ({
      element: fc
        .tuple(
          name,
          fc.uniqueArray(fc.tuple(attribute, safe), { maxLength: 3, selector: ([key]) => key }),
          safe,
          fc.oneof({ maxDepth: 4, withCrossShrink: true }, fc.constant(''), tie('element')),
        )
        .map(
          ([tag, attributes, text, child]) =>
            `<${tag} ${attributes.map(([key, value]) => `${key}="${value}"`).join(' ')}>${text}${child}</${tag}>`,
        ),
    }));
    fc.assert(
      fc.property(fc.array(element, { maxLength: 5 }), (elements) => {
        expect(parse(elements.join('')).warnings.length).toBeLessThanOrEqual(50);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['unknown elements', '<a/>'.repeat(16_000)],
    ['attributes', `<Say ${Array.from({ length: 5000 }, (_, i) => `a${i}="x"`).join(' ')}>x</Say>`],
    ['nouns', `<Dial>${'<Sip>a@b.c;'.concat('x;'.repeat(100), '</Sip>').repeat(280)}</Dial>`],
    ['a long SIP URI', `<Dial><Sip>${'a'.repeat(60_000)}</Sip></Dial>`],
    ['parameters of a SIP URI', `<Dial><Sip>a@b${';a'.repeat(30_000)}</Sip></Dial>`],
    ['a long number', `<Dial>${'( '.repeat(30_000)}</Dial>`],
  ])('of many %s is read in a time that grows with its size', (_name, body) => {
    expect(parse(body).verbs.length).toBeLessThan(2);
  });
});
