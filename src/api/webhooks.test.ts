import { describe, expect, it } from 'vitest';
import { OWNER, STRANGER, startApi } from '../../test/support/api-server.ts';
import { webhook } from '../resources/index.ts';
import type { OutboxRow } from '../store/index.ts';

const CALL = `CA${'2'.repeat(32)}`;

const callback = (id: string, rest: Partial<OutboxRow> = {}): OutboxRow => ({
  id,
  callSid: CALL,
  accountSid: OWNER.sid,
  sequence: 0,
  url: `https://user:secret@app.example/${id}`,
  method: 'POST',
  parameters: 'CallStatus=busy&Digits=1234',
  attempts: 0,
  ...rest,
});

const over = {
  attempts: 9,
  nextAttemptAt: null,
  sentAt: 1_800_000_000_000,
  durationMs: 12,
  errorCode: 11200,
  errorMessage: 'it answered 500',
  responseStatus: 500,
  responseHeaders: '{"content-type":"text/plain"}',
  responseBody: 'oh',
} as const;

interface Page {
  readonly webhooks: readonly Record<string, unknown>[];
}

/** Two webhooks that failed, one that was delivered and one to come, beside what every account here has. */
async function started() {
  const resumed: number[] = [];
  const api = await startApi({}, { callbacks: { resume: async () => void resumed.push(1) } });
  const { journal } = api.store;
  const theirs = { accountSid: STRANGER.sid };
  const rows = [
    callback('a'),
    callback('b', { sequence: 1 }),
    callback('c'),
    callback('d'),
    callback('e', theirs),
  ];
  await journal.commit({ outbox: rows });
  for (const id of ['a', 'b', 'e']) await journal.tried(id, { status: 'failed', ...over });
  await journal.tried('c', { status: 'delivered', attempts: 1, nextAttemptAt: null });
  const ask = async (path: string, form?: Record<string, string>) => {
    const options = form && { method: 'POST', body: new URLSearchParams(form) };
    const response = await api.ask(`/tandem/v1/Webhooks${path}`, options);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const list = async (query: string) => (await ask(`?CallSid=${CALL}&${query}`)).body as unknown as Page;
  const paths = ({ webhooks }: Page) =>
    webhooks.map(({ request_url }) => String(request_url).split('/').at(-1)).join('');
  return { ...api, ask, list, paths, resumed };
}

describe('/tandem/v1/Webhooks', () => {
  it('shows what was sent, and what came back, and no secrets', async () => {
    const { list, ask, url } = await started();
    const [b] = (await list('Status=failed')).webhooks;
    expect(b).toEqual({
      sid: expect.stringMatching(/^WH[0-9a-f]{32}$/),
      account_sid: OWNER.sid,
      call_sid: CALL,
      status: 'failed',
      sequence_number: 1,
      request_method: 'POST',
      request_url: 'https://****@app.example/b',
      request_parameters: { CallStatus: 'busy', Digits: '****' },
      attempts: 9,
      sent_at: '2027-01-15T08:00:00Z',
      duration_ms: 12,
      response_status: 500,
      response_headers: { 'content-type': 'text/plain' },
      response_body: 'oh',
      error_code: 11200,
      error_message: 'it answered 500',
      next_attempt_at: null,
      date_created: expect.any(String),
      date_updated: expect.any(String),
      url: `${url}/tandem/v1/Webhooks/${b?.sid}`,
      links: { replay: `${url}/tandem/v1/Webhooks/${b?.sid}/Replay` },
    });
    expect((await ask(`/${b?.sid}`)).body).toEqual(b);
  });

  it('is narrowed by call, status, address and date', async () => {
    const { list, paths, ask } = await started();
    expect(paths(await list(''))).toBe('dcba');
    expect(paths(await list('Status=queued'))).toBe('d');
    expect(paths(await list('DateCreated>=2001-01-01'))).toBe('dcba');
    expect(paths(await list('DateCreated<=2001-01-01'))).toBe('');
    expect((await ask('?Status=lost')).status).toBe(400);
  });

  it('replays one that is over', async () => {
    const { list, paths, ask, resumed, store } = await started();
    const [b] = (await list('Status=failed')).webhooks;
    const { status, body } = await ask(`/${b?.sid}/Replay`, {});
    expect([status, body.status, body.attempts, body.sid]).toEqual([202, 'queued', 0, b?.sid]);
    expect(paths(await list('Status=queued'))).toBe('db');
    expect(resumed).toHaveLength(1);
    expect(await store.journal.lanes()).toHaveLength(1);
    expect((await ask(`/${b?.sid}/Replay`, {})).status).toBe(400);
  });

  it('replays many: those that failed, or those that are named', async () => {
    const { list, paths, ask, resumed } = await started();
    expect(await ask('/Replay', { CallSid: `CA${'9'.repeat(32)}` })).toMatchObject({ body: { replayed: 0 } });
    expect(resumed).toEqual([]);
    expect(await ask('/Replay', {})).toEqual({ status: 202, body: { replayed: 2, more: false } });
    expect(paths(await list('Status=queued'))).toBe('dba');
    const again = await ask('/Replay', { CallSid: CALL, Status: 'delivered' });
    expect(again.body).toEqual({ replayed: 1, more: false });
    expect((await ask('/Replay', { Status: 'lost' })).status).toBe(400);
  });

  it('is for its account alone', async () => {
    const { ask, store } = await started();
    const everybody = (await store.list(webhook, { limit: 9 })).rows;
    const theirs = everybody.find(({ accountSid }) => accountSid === STRANGER.sid);
    expect((await ask(`/${theirs?.sid}`)).status).toBe(404);
    expect((await ask(`/${theirs?.sid}/Replay`, {})).status).toBe(404);
    await ask('/Replay', {});
    expect((await store.list(webhook, { limit: 9 })).rows).toContainEqual(theirs);
  });
});
