// docs/twiml.md is held against the code: its examples run, and its tables name what the official client can write.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/twiml/index.ts';
import { type Stage, transcript } from './transcript.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/twiml.md'), 'utf8');

const STAGES: Readonly<Record<string, Stage>> = {
  '': {},
  ringing: { answered: false },
  screening: { role: 'screening' },
};

interface Example {
  readonly source: string;
  readonly stage: Stage;
  readonly lines: readonly string[];
}

const EXAMPLES: readonly Example[] = [
  ...PAGE.matchAll(/```xml ?(\w*)\n(.*?)```\n\n```text\n(.*?)\n```/gs),
].map(([, stage = '', source = '', text = '']) => ({
  source,
  stage: { url: 'https://app.example/voice', ...STAGES[stage] },
  lines: text.split('\n'),
}));

/** The page's tables by the element whose heading they stand under. */
const TABLES = new Map(
  PAGE.split(/^##+ /m)
    .map((section): [string, string[]] => [
      section.split('\n')[0] ?? '',
      [...section.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
        [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
      ),
    ])
    .filter(([, attributes]) => attributes.length > 0),
);

const VERBS = [
  'Say',
  'Play',
  'Pause',
  'Gather',
  'Record',
  'Dial',
  'Number',
  'Sip',
  'Refer',
  'Redirect',
  'Reject',
];

/** Attributes that the official client's types know for an element. */
function clientKnows(element: string): string[] {
  const types = readFileSync(join(ROOT, 'node_modules/twilio/lib/twiml/VoiceResponse.d.ts'), 'utf8');
  const [, body = ''] =
    new RegExp(`interface ${element}Attributes \\{(.*?)\\n    \\}`, 's').exec(types) ?? [];
  return [...body.matchAll(/^\s+(\w+)\?:/gm)].map(([, name = '']) => name);
}

function unknownTo(element: string, attributes: readonly string[]): string[] {
  const inner = `<${element} ${attributes.map((name) => `${name}="1"`).join(' ')}>sip:1@b.example</${element}>`;
  const body = element === 'Number' || element === 'Sip' ? `<Dial>${inner}</Dial>` : inner;
  return parseDocument(`<Response>${body}</Response>`)
    .warnings.map(({ message }) => /has no attribute (\w+)/.exec(message)?.[1])
    .filter((name) => name !== undefined);
}

describe('the page of TwiML', () => {
  it('has a transcript after each document', () => {
    expect(EXAMPLES.length).toBeGreaterThan(10);
    expect(EXAMPLES).toHaveLength(PAGE.match(/```xml/g)?.length ?? 0);
  });

  it.each(EXAMPLES)('shows what this document does: $source', ({ source, stage, lines }) => {
    const inputs = lines.filter((line) => line.startsWith('← ')).map((line) => line.slice(2));
    expect(transcript(source, inputs, stage)).toEqual(lines);
  });

  it.each(VERBS)(
    'lists every attribute of %s that the official client writes, and the parser knows it',
    (verb) => {
      const listed = TABLES.get(verb) ?? [];
      const known = clientKnows(verb);
      expect(known.length).toBeGreaterThan(0);
      expect(known.filter((name) => !listed.includes(name))).toEqual([]);
      expect(unknownTo(verb, [...new Set([...listed, ...known])])).toEqual([]);
    },
  );

  it('would be found to list too much or too little', () => {
    expect(unknownTo('Say', ['loop', 'volume'])).toEqual(['volume']);
    expect([...TABLES.keys()]).toEqual(expect.arrayContaining(VERBS));
  });
});
