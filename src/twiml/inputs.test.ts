// Inputs in any order: late ones, unasked ones, and the caller's hanging up.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Input } from './actions.ts';
import { parseDocument } from './document.ts';
import { advance, beginDocument, type DocumentStep } from './interpreter.ts';

const HERE = 'https://app.example/start';

describe('an input', () => {
  const begin = (body: string): DocumentStep =>
    beginDocument(parseDocument(`<Response>${body}</Response>`, HERE), { answered: true });

  it('that nobody waits for changes nothing', () => {
    const { state } = begin('<Say>x</Say>');
    const late = advance(state, { type: 'gathered', digits: '1', finishKey: '' });
    expect(late).toEqual({ state, action: { type: 'await' }, warnings: [] });
    expect(advance(state, { type: 'transfer', target: 'sip:a@b', by: 'callee' }).action).toEqual({
      type: 'await',
    });
  });

  it('that the caller of a Dial sent REFER hands the callee over, where there is a referUrl', () => {
    const refer = { type: 'transfer', target: 'sip:a@b', by: 'caller' } as const;
    const { state } = begin('<Dial action="/d" referUrl="/f">+15550100</Dial>');
    const step = advance(state, refer);
    const to = { url: 'https://app.example/f', method: 'POST' };
    const handOver = { type: 'hand-over', to, parameters: { ReferTransferTarget: 'sip:a@b' } };
    expect(step.action).toEqual({ ...handOver, by: 'caller', stays: false });
    const over = advance(step.state, { type: 'dialed', outcome: { status: 'completed', bridged: true } });
    expect(over.action).toMatchObject({ type: 'fetch', by: '<Dial action>' });
    const kept = begin('<Dial answerOnBridge="true" referUrl="/f">+15550100</Dial>');
    for (const by of ['caller', 'callee'] as const)
      expect(advance(kept.state, { ...refer, by }).action).toEqual({ ...handOver, by, stays: true });
    const refused = advance(begin('<Dial>+15550100</Dial>').state, refer);
    expect([refused.action.type, refused.warnings.map(({ code }) => code)]).toEqual(['await', [13802]]);
  });

  it('that a party is to be sent to more than 256 characters changes nothing, and says so', () => {
    for (const body of [
      '<Dial referUrl="/f">1</Dial>',
      '<Dial answerOnBridge="true" referUrl="/f">1</Dial>',
    ]) {
      const { state } = begin(body);
      const to = (length: number) =>
        advance(state, { type: 'transfer', target: 'sip:a@b?X-A='.padEnd(length, 'x'), by: 'callee' });
      expect(to(256)).toMatchObject({ action: { type: expect.not.stringMatching('await') }, warnings: [] });
      expect(to(257)).toMatchObject({ state, action: { type: 'await' }, warnings: [{ code: 32218 }] });
    }
  });

  it('after the end changes nothing', () => {
    const { state } = begin('<Hangup/>');
    expect(advance(state, { type: 'done' })).toEqual({ state, action: { type: 'over' }, warnings: [] });
  });

  it('that the call has ended leaves nothing of a document that plays or fetches', () => {
    for (const body of ['<Say loop="3">x</Say>', '<Redirect>/x</Redirect>', '<Gather/>']) {
      const { state, action } = advance(begin(body).state, { type: 'call-ended' });
      expect(action).toEqual({ type: 'over' });
      expect(advance(state, { type: 'done' }).action).toEqual({ type: 'over' });
    }
  });

  const VERBS = [
    '<Say loop="2">x</Say>',
    '<Play digits="1"/>',
    '<Pause/>',
    '<Gather action="/g"><Say>x</Say></Gather>',
    '<Gather actionOnEmptyResult="true"/>',
    '<Record/>',
    '<Dial>1</Dial>',
    '<Dial action="/d" answerOnBridge="true" referUrl="/f">1</Dial>',
    '<Dial action="/d"/>',
    '<Refer action="/r"><Sip>a@b.c</Sip></Refer>',
    '<Refer><Sip>a@b.c</Sip></Refer>',
    '<Redirect>/x</Redirect>',
    '<Reject/>',
    '<Hangup/>',
  ];
  const INPUTS: Input[] = [
    { type: 'answered' },
    { type: 'done' },
    { type: 'gathered', digits: '', finishKey: '#' },
    { type: 'gathered', digits: '1', finishKey: '' },
    { type: 'recorded' },
    { type: 'recorded', recording: { url: 'http://x/y', sid: 'RE1', durationS: 1 }, key: '#' },
    { type: 'dialed', outcome: { status: 'busy', bridged: false } },
    { type: 'dialed', outcome: { status: 'completed', bridged: true } },
    { type: 'transfer', target: 'sip:c@d', by: 'callee' },
    { type: 'transfer', target: 'sip:c@d', by: 'caller' },
    { type: 'referred', outcome: { status: 'failed', responseCode: 405 } },
    { type: 'call-ended' },
  ];
  const ENDS = ['fetch', 'fail', 'reject', 'bridge', 'hangup', 'over'];

  it('of any kind in any order: one end, nothing heard unanswered, nothing run once the call is over', () => {
    const body = fc.array(fc.constantFrom(...VERBS), { maxLength: 6 }).map((verbs) => verbs.join(''));
    const inputs = fc.array(fc.constantFrom(...INPUTS), { maxLength: 40 });
    fc.assert(
      fc.property(
        body,
        inputs,
        fc.boolean(),
        fc.constantFrom('call', 'screening'),
        (source, fed, answered, role) => {
          const document = parseDocument(`<Response>${source}</Response>`, HERE);
          let step = beginDocument(document, { answered, role: role as 'call' });
          let ended = ENDS.includes(step.action.type);
          let over = false;
          for (const input of fed) {
            step = advance(step.state, input);
            over ||= input.type === 'call-ended';
            const { type } = step.action;
            if (['say', 'play', 'play-digits', 'gather', 'record', 'refer', 'hangup'].includes(type)) {
              expect(step.state.answered).toBe(true);
            }
            if (ended) expect(['await', 'over']).toContain(type);
            if (over) expect(['await', 'over', 'fetch']).toContain(type);
            if (over && step.action.type === 'fetch') expect(step.action.answer).toBe('ignore');
            ended ||= ENDS.includes(type);
            expect(structuredClone(step.state)).toEqual(step.state);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is always there that brings a document to its end', () => {
    const body = fc.array(fc.constantFrom(...VERBS), { maxLength: 6 }).map((verbs) => verbs.join(''));
    fc.assert(
      fc.property(body, fc.boolean(), (source, answered) => {
        let step = beginDocument(parseDocument(`<Response>${source}</Response>`, HERE), { answered });
        for (let inputs = 0; inputs < 40 && !ENDS.includes(step.action.type); inputs += 1) {
          const input = INPUTS.find(({ type }) => type === step.state.awaits) as Input;
          step = advance(step.state, input);
        }
        expect(ENDS).toContain(step.action.type);
      }),
    );
  });
});
