// Whatever belongs to another account does not exist, and neither does what has no SID's form: on every path.
import { expect, it } from 'vitest';
import { type ApiServer, OWNER, STRANGER, startApi } from '../support/api-server.ts';
import { basic } from '../support/twilio-client.ts';
import { type Made, oneOfEach } from './one-of-each.ts';

const METHODS = ['GET', 'POST', 'DELETE'];
/** 405: the path has no such verb, whoever asks. */
const HIDDEN = [401, 404, 405];

const strangers = (path: string): string => path.replace(OWNER.sid, STRANGER.sid);

function asStranger({ ask }: ApiServer) {
  const headers = { authorization: basic(STRANGER.sid, STRANGER.token) };
  return (path: string, method: string) =>
    ask(path, {
      method,
      headers,
      ...(method === 'POST' && { body: new URLSearchParams({ FriendlyName: 'x' }) }),
    });
}

const rowsOf = async (api: ApiServer) =>
  Object.entries(await oneOfEach(api.ask)).filter(([name]) => name !== 'Account');

it('another account’s rows are neither shown, changed, deleted nor built upon', async () => {
  const api = await startApi();
  const rows = await rowsOf(api);
  expect(rows.length).toBeGreaterThan(25);
  const ask = asStranger(api);
  const before = await Promise.all(
    rows.map(([, { instance }]) => api.ask(instance).then((each) => each.text())),
  );
  for (const [name, { instance, collection }] of rows) {
    for (const method of METHODS) {
      for (const path of [instance, strangers(instance)]) {
        const { status } = await ask(path, method);
        expect([name, method, HIDDEN.includes(status) ? 'hidden' : status]).toEqual([name, method, 'hidden']);
      }
    }
    const isBelow = /\/[A-Z]{2}[0-9a-f]{32}\//.test(strangers(collection).replace(STRANGER.sid, ''));
    if (isBelow) expect([name, (await ask(strangers(collection), 'GET')).status]).toEqual([name, 404]);
    if (isBelow) expect((await ask(strangers(collection), 'POST')).status).not.toBe(201);
    else expect(await (await ask(strangers(collection), 'GET')).text()).not.toContain(sidOf(instance));
  }
  const after = await Promise.all(
    rows.map(([, { instance }]) => api.ask(instance).then((each) => each.text())),
  );
  expect(after).toEqual(before);
}, 60_000);

it('a SID that is none is not found', async () => {
  const { ask, ...api } = await startApi();
  const rows = await rowsOf({ ...api, ask });
  const places = rows.flatMap(([name, { instance }]) =>
    [...instance.replace(OWNER.sid, '').matchAll(/[A-Z]{2}[0-9a-f]{32}/g)].map(
      ([sid]) => [name, instance, sid] as const,
    ),
  );
  for (const [name, instance, sid] of places) {
    for (const malformed of [
      'x',
      sid.toLowerCase(),
      `XX${sid.slice(2)}`,
      `${sid}0`,
      sid.slice(0, -1),
      `${sid.slice(0, -1)}g`,
      `${sid.slice(0, -1)}%00`,
      `${sid}%0a`,
      `${sid}'--`,
      '..%2f',
    ]) {
      for (const method of METHODS) {
        const { status } = await ask(instance.replace(sid, malformed), { method });
        expect([name, malformed, method, status === 405 ? 404 : status]).toEqual([
          name,
          malformed,
          method,
          404,
        ]);
      }
    }
  }
}, 60_000);

const sidOf = (instance: Made['instance']): string => instance.replace('.json', '').split('/').at(-1) ?? '';
