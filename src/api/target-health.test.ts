// Health as the API lists it, over a source of the test's own.
import { describe, expect, it } from 'vitest';
import { type ApiServer, OWNER, STRANGER, startApi } from '../../test/support/api-server.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import {
  connectionPolicy,
  connectionPolicyTarget,
  insecureTarget,
  newRow,
  originationUrl,
  trunk,
} from '../resources/index.ts';
import { NEW_HEALTH, type TargetHealth } from '../routing/index.ts';

const world = { clock: systemClock, random: systemRandom() };
const AT_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const DOWN: TargetHealth = {
  ...NEW_HEALTH,
  state: 'down',
  why: '3 calls in a row failed',
  failedCalls: 3,
  checkedAtMs: AT_MS,
  history: [{ state: 'down', why: '3 calls in a row failed', atMs: AT_MS }],
};

interface Page {
  readonly target_health: readonly { readonly target_sid: string; readonly state: string }[];
  readonly meta: {
    readonly next_page_url: string | null;
    readonly previous_page_url: string | null;
    readonly key: string;
  };
}

/** Places that are down. */
const down = new Set<string>();
const health = {
  of: ({ uri, insecure }: { uri: string; insecure?: boolean }) =>
    down.has(insecure ? `${uri} insecure` : uri) ? DOWN : NEW_HEALTH,
};

async function policyWith(server: ApiServer, accountSid: string, uris: readonly string[]) {
  const policy = newRow(connectionPolicy, { accountSid }, world);
  await server.store.insert(connectionPolicy, policy);
  const sids: string[] = [];
  for (const target of uris) {
    const values = { accountSid, connectionPolicySid: policy.sid, target };
    const row = newRow(connectionPolicyTarget, values, world);
    await server.store.insert(connectionPolicyTarget, row);
    sids.push(row.sid);
  }
  return { policy: policy.sid, sids };
}

async function trunkWith(
  { store }: ApiServer,
  accountSid: string,
  { secure, urls }: { readonly secure: boolean; readonly urls: readonly string[] },
) {
  const owner = newRow(trunk, { accountSid, secure }, world);
  await store.insert(trunk, owner);
  const sids: string[] = [];
  for (const sipUrl of urls) {
    const values = { trunkSid: owner.sid, sipUrl, friendlyName: 'x', priority: 1, weight: 1, enabled: true };
    const row = newRow(originationUrl, { accountSid, ...values }, world);
    await store.insert(originationUrl, row);
    sids.push(row.sid);
  }
  return { trunk: owner.sid, sids };
}

const uris = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `sip:${name}${index}.example`);

async function pages(server: ApiServer, path: string): Promise<Page[]> {
  const found: Page[] = [];
  let next: string | null = path;
  while (next !== null) {
    const response: Response = await server.ask(next.replace(server.url, ''));
    expect(response.status).toBe(200);
    found.push((await response.json()) as Page);
    next = found.at(-1)?.meta.next_page_url ?? null;
  }
  return found;
}

const sidsOf = (found: readonly Page[]) =>
  found.flatMap((page) => page.target_health.map((each) => each.target_sid));

describe('/tandem/v1/TargetHealth', () => {
  it('shows one target, down or never heard of', async () => {
    const server = await startApi({}, { health });
    const { policy, sids } = await policyWith(server, OWNER.sid, ['sip:one.example', 'sip:two.example']);
    down.add('sip:one.example');
    const [one, two] = await Promise.all(
      sids.map(async (sid) => (await server.ask(`/tandem/v1/TargetHealth/${sid}`)).json()),
    );
    const at = '2026-01-02T03:04:05.678Z';
    expect(one).toEqual({
      target_sid: sids[0],
      account_sid: OWNER.sid,
      connection_policy_sid: policy,
      trunk_sid: null,
      target: 'sip:one.example',
      enabled: true,
      insecure: false,
      state: 'down',
      why: '3 calls in a row failed',
      since: at,
      checked_at: at,
      failed_calls: 3,
      failed_checks: 0,
      history: [{ state: 'down', why: '3 calls in a row failed', at }],
      url: `${server.url}/tandem/v1/TargetHealth/${sids[0]}`,
    });
    expect(two).toMatchObject({ state: 'unknown', since: null, checked_at: null, history: [] });
  });

  it('tells of the place as it is called: with or without a look at the certificate', async () => {
    const server = await startApi({}, { health });
    const { sids } = await policyWith(server, OWNER.sid, ['sip:tls.example']);
    down.add('sip:tls.example insecure');
    const stateOf = async () => (await server.ask(`/tandem/v1/TargetHealth/${sids[0]}`)).json();
    expect(await stateOf()).toMatchObject({ state: 'unknown', insecure: false });
    const values = { accountSid: OWNER.sid, targetSid: sids[0] as string };
    await server.store.insert(insecureTarget, newRow(insecureTarget, values, world));
    expect(await stateOf()).toMatchObject({ state: 'down', insecure: true });
  });

  it('lists the account’s targets in pages that lead on and back, narrowed by policy and state', async () => {
    const server = await startApi({}, { health });
    const first = await policyWith(server, OWNER.sid, uris('a', 5));
    const second = await policyWith(server, OWNER.sid, uris('b', 4));
    await policyWith(server, STRANGER.sid, uris('c', 2));
    for (const uri of ['sip:a0.example', 'sip:a4.example', 'sip:b1.example']) down.add(uri);
    const all = await pages(server, '/tandem/v1/TargetHealth?PageSize=2');
    expect(all.map((page) => page.target_health.length)).toEqual([2, 2, 2, 2, 1]);
    expect(sidsOf(all)).toEqual([...first.sids, ...second.sids]);
    expect(all[0]?.meta).toMatchObject({ key: 'target_health', previous_page_url: null });
    const back = (await server.ask(String(all[2]?.meta.previous_page_url).replace(server.url, ''))).json();
    expect(sidsOf([(await back) as Page])).toEqual(sidsOf([all[1] as Page]));

    const ofSecond = `/tandem/v1/TargetHealth?ConnectionPolicySid=${second.policy}`;
    expect(sidsOf(await pages(server, ofSecond))).toEqual(second.sids);
    const downOnes = await pages(server, '/tandem/v1/TargetHealth?State=down&PageSize=1');
    expect(sidsOf(downOnes)).toEqual([first.sids[0], first.sids[4], second.sids[1]]);
    expect(downOnes.map((page) => page.target_health.length)).toEqual([1, 1, 1]);
    expect(sidsOf(await pages(server, `${ofSecond}&State=unknown`))).toHaveLength(3);
    expect(sidsOf(await pages(server, '/tandem/v1/TargetHealth?State=half-open'))).toEqual([]);
  });

  it('has the origination URLs of trunks behind the targets, each as its trunk calls it', async () => {
    const server = await startApi({}, { health });
    const { sids } = await policyWith(server, OWNER.sid, uris('t', 2));
    const plain = await trunkWith(server, OWNER.sid, {
      secure: false,
      urls: ['sip:p1.example', 'sips:p2.example'],
    });
    const secure = await trunkWith(server, OWNER.sid, { secure: true, urls: ['sip:s1.example'] });
    const theirs = await trunkWith(server, STRANGER.sid, { secure: false, urls: ['sip:x1.example'] });
    for (const uri of ['sip:p2.example;transport=tls', 'sip:s1.example;secure=true']) down.add(uri);

    const all = await pages(server, '/tandem/v1/TargetHealth?PageSize=2');
    expect(sidsOf(all)).toEqual([...sids, ...plain.sids, ...secure.sids]);
    const back = (await server.ask(String(all[1]?.meta.previous_page_url).replace(server.url, ''))).json();
    expect(sidsOf([(await back) as Page])).toEqual(sids);
    const downOnes = await pages(server, '/tandem/v1/TargetHealth?State=down');
    expect(sidsOf(downOnes)).toEqual([plain.sids[1], secure.sids[0]]);
    const ofPlain = `/tandem/v1/TargetHealth?TrunkSid=${plain.trunk}`;
    expect(sidsOf(await pages(server, ofPlain))).toEqual(plain.sids);

    const one = (await server.ask(`/tandem/v1/TargetHealth/${plain.sids[1]}`)).json();
    expect(await one).toMatchObject({
      target_sid: plain.sids[1],
      connection_policy_sid: null,
      trunk_sid: plain.trunk,
      target: 'sips:p2.example',
      state: 'down',
      insecure: false,
      url: `${server.url}/tandem/v1/TargetHealth/${plain.sids[1]}`,
    });
    expect((await server.ask(`/tandem/v1/TargetHealth/${theirs.sids[0]}`)).status).toBe(404);
  });

  it('refuses states and page tokens that are none, and targets of others', async () => {
    const server = await startApi({}, { health });
    const { sids, policy } = await policyWith(server, STRANGER.sid, ['sip:x.example']);
    const statusOf = async (path: string) => (await server.ask(`/tandem/v1/TargetHealth${path}`)).status;
    expect(await statusOf('?State=sleepy')).toBe(400);
    expect(await statusOf('?PageToken=PANE1')).toBe(400);
    expect(await statusOf('?PageToken=x')).toBe(400);
    expect(await statusOf(`/${sids[0]}`)).toBe(404);
    expect(await statusOf('/NE1')).toBe(404);
    expect(sidsOf(await pages(server, `/tandem/v1/TargetHealth?ConnectionPolicySid=${policy}`))).toEqual([]);
    expect((await server.ask('/tandem/v1/TargetHealth', { method: 'POST' })).status).toBe(405);
  });
});
