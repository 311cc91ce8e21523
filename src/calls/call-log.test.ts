import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { seededRandom } from '../lib/random.ts';
import { CallLog } from './call-log.ts';

const log = () =>
  new CallLog({ clock: new FakeClock(), random: seededRandom(1) }, { accountSid: 'AC1', callSid: 'CA1' });

const body = (text: string) => Buffer.from(text);
const rowOf = (along: { readonly row: object } | undefined) => along?.row as Record<string, string>;

describe('what a call leaves to read', () => {
  it('names request and response as Twilio does', () => {
    const row = rowOf(
      log().event({
        request: { method: 'POST', url: 'http://bob:secret@app.example/voice', parameters: 'To=%2B1&From=a' },
        result: { kind: 'answer', status: 200, contentType: 'text/xml', body: body('<Response/>') },
        durationMs: 12.4,
      }),
    );
    expect(JSON.parse(row.request ?? '')).toEqual({
      method: 'POST',
      url: 'http://****@app.example/voice',
      parameters: { To: '+1', From: 'a' },
    });
    expect(JSON.parse(row.response ?? '')).toEqual({
      response_code: 200,
      request_duration: 12,
      content_type: 'text/xml',
      response_body: '<Response/>',
      date_created: expect.stringMatching(/ \+0000$/),
    });
  });

  it('has no secret: passwords, typed digits, cookies', () => {
    const row = rowOf(
      log().notice({
        code: 12100,
        level: 'error',
        text: 'no XML',
        request: { method: 'POST', url: 'http://a.example', parameters: 'Digits=4111&To=a' },
        response: {
          status: 200,
          headers: { 'set-cookie': ['session=s3cret'], 'content-type': 'text/xml' },
          body: body(`<Sip username="bob" password="s3cret">a</Sip><Sip password='s3cret`),
        },
      }),
    );
    expect(row).toMatchObject({ log: 0, errorCode: '12100', requestVariables: 'Digits=****&To=a' });
    expect(JSON.stringify(row)).not.toMatch(/s3cret|4111/);
  });

  it('is bounded in size and number', () => {
    const calls = log();
    const exchange = {
      request: { method: 'GET', url: 'http://a.example', parameters: `a=${'x'.repeat(100_000)}` },
      result: { kind: 'answer', status: 200, contentType: 'text/xml', body: Buffer.alloc(60_000, 'y') },
      durationMs: 1,
    } as const;
    const events = Array.from({ length: 300 }, () => calls.event(exchange)).filter(Boolean);
    expect(events).toHaveLength(200);
    expect(JSON.stringify(rowOf(events[0])).length).toBeLessThan(10_000);
    const notices = Array.from({ length: 300 }, () =>
      calls.notice({ code: 1, level: 'warning', text: 'z'.repeat(9000), request: exchange.request }),
    ).filter(Boolean);
    expect(notices).toHaveLength(200);
    expect(JSON.stringify(rowOf(notices[0])).length).toBeLessThan(10_000);
  });
});
