// What an operator sees of the API: a log line of each request, and what Prometheus scrapes.
import { describe, expect, it } from 'vitest';
import { OWNER, STRANGER, startApi } from '../../test/support/api-server.ts';
import { basic } from '../../test/support/twilio-client.ts';
import type { Log } from '../lib/log.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

function recordingLog(): { readonly log: Log; readonly lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ ...fields, level, message });
  return {
    lines,
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
  };
}

/** `name{labels}` → value. */
async function scrape(
  url: string,
  headers: Record<string, string> = {},
): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

describe('the log', () => {
  it('has one line of each request, with the request’s id and no more than the path’s template', async () => {
    const { log, lines } = recordingLog();
    const { ask } = await startApi({}, { log });
    const found = await ask('/v1/ByocTrunks?Secret=hunter2');
    const missing = await ask(`/v1/ByocTrunks/BY${'0'.repeat(32)}`);
    const stranger = await ask('/v1/ByocTrunks', { headers: { authorization: basic(OWNER.sid, 'hunter2') } });
    const answers = lines.filter(({ message }) => message === 'API request');
    expect(answers).toMatchObject([
      { method: 'GET', route: '/v1/ByocTrunks', status: 200, account_sid: OWNER.sid },
      { method: 'GET', route: '/v1/ByocTrunks/:Sid', status: 404, account_sid: OWNER.sid },
      { method: 'GET', route: '/v1/ByocTrunks', status: 401, account_sid: undefined },
    ]);
    expect(answers.map((line) => line.request_id)).toEqual(
      [found, missing, stranger].map(({ headers }) => headers.get('twilio-request-id')),
    );
    expect(answers.every(({ ms }) => Number(ms) > 0)).toBe(true);
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    expect(JSON.stringify(lines)).not.toContain(OWNER.token);
  });

  it('names the request that failed', async () => {
    const { log, lines } = recordingLog();
    const { ask, store } = await startApi({}, { log });
    await store.close();
    const answer = await ask('/v1/ByocTrunks');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        request_id: answer.headers.get('twilio-request-id'),
        route: '/v1/ByocTrunks',
      }),
    );
  });
});

describe('/metrics', () => {
  it('counts requests by route and status, and tells what the exchange holds', async () => {
    const held = {
      calls: 3,
      transactions: 4,
      dialogs: 5,
      mediaSessions: 6,
      callbacks: 7,
      callbackFailures: 8,
    };
    const { url, ask } = await startApi({}, { counts: () => held });
    await ask('/v1/ByocTrunks');
    await ask('/v1/ByocTrunks');
    await ask('/v1/Nothing');
    await ask(`/2010-04-01/Accounts/${OWNER.sid}/Calls.json`, {
      method: 'POST',
      body: new URLSearchParams({ To: 'sip:a.example', From: 'a', Twiml: '<Response/>' }),
    });
    const metrics = await scrape(url);
    const requests = 'tandem_http_request_duration_seconds_count';
    expect(metrics.get(`${requests}{method="GET",route="/v1/ByocTrunks",status="200"}`)).toBe(2);
    expect(metrics.get(`${requests}{method="GET",route="none",status="404"}`)).toBe(1);
    expect(Object.fromEntries(metrics)).toMatchObject({
      tandem_calls_live: 3,
      tandem_sip_transactions: 4,
      tandem_sip_dialogs: 5,
      tandem_media_sessions: 6,
      tandem_callbacks_sending: 7,
      tandem_callback_failures_total: 8,
      tandem_calls_placed_total: 1,
      tandem_journal_waiting: 0,
      tandem_journal_commits_total: 3,
      tandem_outbox_callbacks: 0,
    });
    for (const name of [
      'tandem_journal_commit_seconds_total',
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_seconds{quantile="0.99"}',
    ]) {
      expect([name, Number(metrics.get(name)) >= 0]).toEqual([name, true]);
    }
    expect(metrics.get('tandem_directory_age_seconds')).toBeLessThan(10);
    expect((await scrape(url)).get('tandem_calls_placed_total')).toBe(1);
  });

  it('is each exchange’s own', async () => {
    const [one, two] = [await startApi(), await startApi()];
    await one.ask('/v1/ByocTrunks');
    const name =
      'tandem_http_request_duration_seconds_count{method="GET",route="/v1/ByocTrunks",status="200"}';
    expect([(await scrape(one.url)).get(name), (await scrape(two.url)).get(name)]).toEqual([1, undefined]);
  });

  it('is still served while the database is away', async () => {
    const { url, store } = await startApi();
    await store.close();
    expect((await scrape(url)).get('tandem_outbox_callbacks')).toBeNaN();
  });

  it('is for the first account alone where others reach the server', async () => {
    const { url, ask } = await startApi({ metricsAccountSid: OWNER.sid });
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const authorization = basic(STRANGER.sid, STRANGER.token);
    expect((await fetch(`${url}/metrics`, { headers: { authorization } })).status).toBe(401);
    expect((await ask('/metrics')).status).toBe(200);
    expect((await fetch(`${url}/openapi.json`)).status).toBe(200);
  });
});
