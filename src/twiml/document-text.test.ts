import { describe, expect, it } from 'vitest';
import { documentText } from './document-text.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const SAYS = '<Response><Say>Café</Say></Response>';
const DECLARES = `<?xml version="1.0" encoding="ISO-8859-1"?>${SAYS}`;

describe('the text of a document', () => {
  it.each([
    ['UTF-8 without a word', Buffer.from(SAYS), 'text/xml', SAYS],
    ['the character set of its Content-Type', latin1(SAYS), 'text/xml; Charset="iso-8859-1"', SAYS],
    ['the one that it declares itself', latin1(DECLARES), 'application/xml', DECLARES],
    ['the Content-Type before the declaration', Buffer.from(DECLARES), 'text/xml;charset=utf-8', DECLARES],
    ['the mark before all', Buffer.from(`\ufeff${SAYS}`), 'text/xml; charset=latin1', SAYS],
    ['UTF-16, little end first', Buffer.from(`\ufeff${SAYS}`, 'utf16le'), 'text/xml', SAYS],
    ['UTF-16, big end first', Buffer.from(`\ufeff${SAYS}`, 'utf16le').swap16(), 'text/xml', SAYS],
    ['UTF-8 for one that nobody knows', Buffer.from(SAYS), 'text/xml; charset=klingon', SAYS],
    ['a stand-in for what cannot be read', latin1('é'), 'text/plain', '\ufffd'],
    ['nothing', Buffer.alloc(0), '', ''],
  ])('is %s', (_, octets, contentType, text) => {
    expect(documentText(octets, contentType)).toBe(text);
  });
});
