// Subaccounts and API keys through the official client: who may act for whom, and what is shown to whom.
import { describe, expect, it } from 'vitest';
import { account, key } from '../../src/resources/index.ts';
import { type ApiServer, OWNER, startApi } from '../support/api-server.ts';
import { twilioClient } from '../support/twilio-client.ts';
import { codeOf, failed } from './failed.ts';

async function subaccount({ client, url }: ApiServer) {
  const { sid, authToken, ...rest } = await client.api.v2010.accounts.create({ friendlyName: 'Child' });
  return { sid, authToken, rest, client: twilioClient(url, sid, authToken) };
}

describe('subaccounts', () => {
  it('are created with a token that is shown once', async () => {
    const api = await startApi();
    const child = await subaccount(api);
    expect(child.authToken).toMatch(/^[0-9a-f]{32}$/);
    expect(child.rest).toMatchObject({ ownerAccountSid: OWNER.sid, status: 'active', type: 'Full' });
    const { accounts } = api.client.api.v2010;
    expect((await accounts(child.sid).fetch()).authToken).toBeNull();
    expect((await accounts.list()).map(({ sid }) => sid)).toEqual([child.sid, OWNER.sid]);
    expect(await accounts.list({ friendlyName: 'Child' })).toHaveLength(1);
    expect((await accounts.create()).friendlyName).toMatch(
      /^SubAccount Created at \d{4}-\d\d-\d\d \d\d:\d\d [ap]m$/,
    );
    expect(api.store.directory.find(account, child.sid)?.authToken).toBe(child.authToken);
  });

  it('act for themselves alone', async () => {
    const api = await startApi();
    const child = await subaccount(api);
    const { accounts } = child.client.api.v2010;
    expect((await accounts(child.sid).fetch()).ownerAccountSid).toBe(OWNER.sid);
    expect((await accounts.list()).map(({ sid }) => sid)).toEqual([child.sid]);
    expect(await codeOf(accounts(OWNER.sid).fetch())).toBe(20404);
    expect(await codeOf(accounts.create())).toBe(20001);
    expect(await codeOf(accounts(child.sid).update({ status: 'closed' }))).toBe(20001);
    expect(await codeOf(accounts(OWNER.sid).calls.list())).toBe(20003);
    const { sid } = await child.client.sip.domains.create({ domainName: 'child.sip.twilio.com' });
    expect(await codeOf(api.client.sip.domains(sid).fetch())).toBe(20404);
    await api.client.sip.domains.create({ domainName: 'top.sip.twilio.com' });
    await child.client.sip.domains.create({ domainName: 'x.top.sip.twilio.com' });
  });

  it('are acted for by the account above them, and by no other', async () => {
    const api = await startApi();
    const child = await subaccount(api);
    const below = api.client.api.v2010.accounts(child.sid);
    const list = await below.sip.credentialLists.create({ friendlyName: 'a' });
    expect(list).toMatchObject({ accountSid: child.sid });
    expect(await child.client.sip.credentialLists.list()).toHaveLength(1);
    expect(await api.client.sip.credentialLists.list()).toEqual([]);
    expect(await codeOf(api.stranger.api.v2010.accounts(child.sid).sip.credentialLists.list())).toBe(20003);
    expect(await codeOf(api.stranger.api.v2010.accounts(child.sid).fetch())).toBe(20404);
    const trunk = await api.client.voice.v1.byocTrunks.create();
    expect(
      await codeOf(below.sip.domains.create({ domainName: 'a.sip.twilio.com', byocTrunkSid: trunk.sid })),
    ).toBe(20001);
  });

  it('are suspended, opened again, and closed for good', async () => {
    const api = await startApi();
    const child = await subaccount(api);
    const context = api.client.api.v2010.accounts(child.sid);
    expect((await context.update({ status: 'suspended' })).status).toBe('suspended');
    const inactive = { status: 403, code: 20005 };
    expect(await failed(child.client.sip.domains.list())).toMatchObject(inactive);
    expect(await failed(child.client.voice.v1.byocTrunks.list())).toMatchObject(inactive);
    expect(await context.sip.domains.list()).toEqual([]);
    await context.update({ status: 'active' });
    expect(await child.client.sip.domains.list()).toEqual([]);
    await context.update({ status: 'closed' });
    expect(await failed(child.client.sip.domains.list())).toMatchObject(inactive);
    expect(await failed(context.sip.domains.list())).toMatchObject(inactive);
    expect(await codeOf(context.update({ status: 'active' }))).toBe(20001);
    expect((await context.fetch()).status).toBe('closed');
    const { accounts } = api.client.api.v2010;
    expect(await codeOf(accounts(OWNER.sid).update({ status: 'suspended' }))).toBe(20001);
    expect(await accounts.list({ status: 'closed' })).toHaveLength(1);
  });
});

describe('API keys', () => {
  it('have a secret that is shown once, and act for their account', async () => {
    const { client, url, ask, store } = await startApi();
    const made = await client.newKeys.create({ friendlyName: 'CI' });
    expect(made.secret).toMatch(/^[0-9a-f]{32}$/);
    const withKey = twilioClient(url, made.sid, made.secret, OWNER.sid);
    expect(await withKey.voice.v1.byocTrunks.list()).toEqual([]);
    await withKey.sip.domains.create({ domainName: 'a.sip.twilio.com' });
    const denied = { status: 403, code: 20006 };
    expect(await failed(withKey.newKeys.create())).toMatchObject(denied);
    expect(await failed(withKey.keys(made.sid).remove())).toMatchObject(denied);
    expect(await failed(withKey.api.v2010.accounts.create())).toMatchObject(denied);
    expect((await withKey.api.v2010.accounts(OWNER.sid).fetch()).sid).toBe(OWNER.sid);
    const shown = await (await ask(`/2010-04-01/Accounts/${OWNER.sid}/Keys/${made.sid}.json`)).text();
    expect(shown).not.toContain(made.secret);
    expect((await client.keys(made.sid).update({ friendlyName: 'x' })).friendlyName).toBe('x');
    expect((await client.keys.list()).map(({ sid }) => sid)).toEqual([made.sid]);
    const wrong = twilioClient(url, made.sid, 'x'.repeat(32), OWNER.sid);
    expect(await codeOf(wrong.voice.v1.byocTrunks.list())).toBe(20003);
    const audit = await (await ask('/tandem/v1/AuditEvents')).text();
    expect(audit).toContain(`"actor_sid":"${made.sid}"`);
    expect(audit).not.toContain(made.secret);
    expect(store.directory.find(key, made.sid)?.secret).toBe(made.secret);
    expect(await client.keys(made.sid).remove()).toBe(true);
    expect(await codeOf(withKey.voice.v1.byocTrunks.list())).toBe(20003);
  });

  it('of a suspended account are of no use', async () => {
    const api = await startApi();
    const child = await subaccount(api);
    const { sid, secret } = await child.client.newKeys.create();
    await api.client.api.v2010.accounts(child.sid).update({ status: 'suspended' });
    const withKey = twilioClient(api.url, sid, secret, child.sid);
    expect(await codeOf(withKey.voice.v1.byocTrunks.list())).toBe(20005);
  });
});
