// Connection policies, targets and BYOC trunks through the official client: every verb, every refusal.
import { describe, expect, it } from 'vitest';
import { OWNER, startApi } from '../../test/support/api-server.ts';
import { byocTrunk } from '../resources/index.ts';

const NOWHERE = '0'.repeat(32);
const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => ({}),
    ({ name, status, code, message, moreInfo }: Record<string, unknown>) => ({
      name: String(name),
      status,
      code,
      message,
      moreInfo,
    }),
  );

describe('connection policies', () => {
  it('are created, fetched, updated, listed and deleted', async () => {
    const { client, url } = await startApi();
    const created = await client.voice.v1.connectionPolicies.create({ friendlyName: 'Carriers ü' });
    expect(created).toMatchObject({
      accountSid: OWNER.sid,
      friendlyName: 'Carriers ü',
      url: `${url}/v1/ConnectionPolicies/${created.sid}`,
      links: { targets: `${url}/v1/ConnectionPolicies/${created.sid}/Targets` },
    });
    expect(created.sid).toMatch(/^NY[0-9a-f]{32}$/);
    expect(created.dateCreated).toBeInstanceOf(Date);
    expect(Math.abs(created.dateCreated.getTime() - Date.now())).toBeLessThan(10_000);
    const context = client.voice.v1.connectionPolicies(created.sid);
    expect((await context.fetch()).toJSON()).toEqual(created.toJSON());
    expect((await context.update({ friendlyName: '' })).friendlyName).toBeNull();
    expect((await context.update()).friendlyName).toBeNull();
    expect((await client.voice.v1.connectionPolicies.create()).friendlyName).toBeNull();
    expect(await client.voice.v1.connectionPolicies.list()).toHaveLength(2);
    expect((await context.removeWithHttpInfo()).body).toBe(true);
    expect(await failed(context.fetch())).toMatchObject({
      status: 404,
      code: 20404,
      message: `The requested resource /ConnectionPolicies/${created.sid} was not found`,
      moreInfo: 'https://www.twilio.com/docs/errors/20404',
    });
    expect(await failed(context.remove())).toMatchObject({ status: 404, code: 20404 });
    expect(await failed(context.update({ friendlyName: 'x' }))).toMatchObject({ status: 404 });
  });

  it('belong to their account', async () => {
    const { client, stranger } = await startApi();
    const { sid } = await client.voice.v1.connectionPolicies.create();
    const theirs = stranger.voice.v1.connectionPolicies(sid);
    expect(await failed(theirs.fetch())).toMatchObject({ status: 404 });
    expect(await failed(theirs.update({ friendlyName: 'mine' }))).toMatchObject({ status: 404 });
    expect(await failed(theirs.remove())).toMatchObject({ status: 404 });
    expect(await failed(theirs.targets.create({ target: 'sip:a.example' }))).toMatchObject({ status: 404 });
    expect(await failed(theirs.targets.list())).toMatchObject({ status: 404 });
    expect(await stranger.voice.v1.connectionPolicies.list()).toEqual([]);
    expect(await failed(stranger.voice.v1.byocTrunks.create({ connectionPolicySid: sid }))).toMatchObject({
      status: 400,
      code: 20001,
    });
  });

  it('are not deleted while a trunk leads to them, and take their targets along', async () => {
    const { client } = await startApi();
    const policy = await client.voice.v1.connectionPolicies.create();
    const trunk = await client.voice.v1.byocTrunks.create({ connectionPolicySid: policy.sid });
    const context = client.voice.v1.connectionPolicies(policy.sid);
    const target = await context.targets.create({ target: 'sip:a.example' });
    expect(await failed(context.remove())).toMatchObject({
      status: 400,
      code: 20001,
      message: `ConnectionPolicy ${policy.sid} cannot be deleted: ByocTrunk ${trunk.sid} refers to it by ConnectionPolicySid`,
    });
    await client.voice.v1.byocTrunks(trunk.sid).update({ connectionPolicySid: '' });
    expect(await context.remove()).toBe(true);
    expect(await failed(context.targets(target.sid).fetch())).toMatchObject({ status: 404 });
  });
});

describe('targets', () => {
  it('are created with defaults, and changed', async () => {
    const { client, url } = await startApi();
    const policy = await client.voice.v1.connectionPolicies.create();
    const { targets } = client.voice.v1.connectionPolicies(policy.sid);
    const plain = await targets.create({ target: 'sip:sip-box.com:1234' });
    expect(plain).toMatchObject({
      accountSid: OWNER.sid,
      connectionPolicySid: policy.sid,
      target: 'sip:sip-box.com:1234',
      friendlyName: null,
      priority: 10,
      weight: 10,
      enabled: true,
      url: `${url}/v1/ConnectionPolicies/${policy.sid}/Targets/${plain.sid}`,
    });
    const values = {
      target: 'sip:a@b.c;transport=tcp',
      priority: 0,
      weight: 1,
      enabled: false,
      friendlyName: 'x',
    };
    expect(await targets.create(values)).toMatchObject(values);
    expect(await targets(plain.sid).update({ weight: 65535 })).toMatchObject({
      weight: 65535,
      priority: 10,
      enabled: true,
    });
    expect((await targets.list()).map((target) => target.weight)).toEqual([1, 65535]);
    expect(await targets(plain.sid).remove()).toBe(true);
    expect(await targets.list()).toHaveLength(1);
  });

  it('are refused with the parameter named', async () => {
    const { client } = await startApi();
    const policy = await client.voice.v1.connectionPolicies.create();
    const { targets } = client.voice.v1.connectionPolicies(policy.sid);
    expect(await failed(targets.create({ target: 'https://www.example.com' }))).toMatchObject({
      status: 400,
      code: 20001,
      message: 'Invalid Parameter: Target must be a SIP URI that begins with sip:',
    });
    expect(await failed(targets.create({ target: 'sips:a.example', weight: 0 }))).toMatchObject({
      message:
        'Invalid Parameter: Target must be a SIP URI that begins with sip:; Weight must be a whole number from 1 to 65535',
    });
    expect(await targets.list()).toEqual([]);
  });

  it('are ten at most, also when thirty come at once', async () => {
    const { client } = await startApi();
    const policy = await client.voice.v1.connectionPolicies.create();
    const { targets } = client.voice.v1.connectionPolicies(policy.sid);
    const creates = Array.from({ length: 30 }, (_, index) =>
      targets.create({ target: `sip:t${index}.example` }),
    );
    const results = await Promise.allSettled(creates);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(10);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ status: 400, code: 21254 });
    }
    const [first] = await targets.list();
    await targets(first?.sid ?? '').remove();
    await targets.create({ target: 'sip:again.example' });
    expect(await targets.list()).toHaveLength(10);
  });

  it('are found only under their own policy', async () => {
    const { client } = await startApi();
    const [one, two] = [
      await client.voice.v1.connectionPolicies.create(),
      await client.voice.v1.connectionPolicies.create(),
    ];
    const target = await client.voice.v1
      .connectionPolicies(one.sid)
      .targets.create({ target: 'sip:a.example' });
    expect(
      await failed(client.voice.v1.connectionPolicies(two.sid).targets(target.sid).fetch()),
    ).toMatchObject({ status: 404 });
    const unknown = client.voice.v1.connectionPolicies(`NY${NOWHERE}`).targets;
    expect(await failed(unknown.create({ target: 'sip:a.example' }))).toMatchObject({
      status: 404,
      code: 20404,
      message: `The requested resource /ConnectionPolicies/NY${NOWHERE}/Targets was not found`,
    });
    expect(await failed(unknown.list())).toMatchObject({ status: 404 });
  });
});

describe('BYOC trunks', () => {
  it('are created, changed, cleared and deleted', async () => {
    const { client, url } = await startApi();
    const policy = await client.voice.v1.connectionPolicies.create();
    const values = {
      friendlyName: 'Carrier',
      voiceUrl: 'https://a.example/voice?x=1',
      voiceMethod: 'GET',
      voiceFallbackUrl: 'https://a.example/fallback',
      voiceFallbackMethod: 'GET',
      statusCallbackUrl: 'https://a.example/status',
      statusCallbackMethod: 'GET',
      cnamLookupEnabled: true,
      connectionPolicySid: policy.sid,
    };
    const created = await client.voice.v1.byocTrunks.create(values);
    expect(created).toMatchObject({
      ...values,
      fromDomainSid: null,
      url: `${url}/v1/ByocTrunks/${created.sid}`,
    });
    const context = client.voice.v1.byocTrunks(created.sid);
    expect(
      await context.update({ voiceUrl: '', connectionPolicySid: '', cnamLookupEnabled: false }),
    ).toMatchObject({
      voiceUrl: null,
      connectionPolicySid: null,
      cnamLookupEnabled: false,
      voiceMethod: 'GET',
    });
    expect(await client.voice.v1.byocTrunks.create()).toMatchObject({
      voiceUrl: null,
      voiceMethod: 'POST',
      voiceFallbackMethod: 'POST',
      statusCallbackMethod: 'POST',
      cnamLookupEnabled: false,
    });
    expect((await client.voice.v1.byocTrunks.list()).map((trunk) => trunk.sid)[1]).toBe(created.sid);
    expect(await context.remove()).toBe(true);
    expect(await failed(context.fetch())).toMatchObject({ status: 404 });
  });

  it.each([
    [
      { connectionPolicySid: `NY${NOWHERE}` },
      `Invalid Parameter: ConnectionPolicySid names NY${NOWHERE}, which does not exist`,
    ],
    [
      { fromDomainSid: `SD${NOWHERE}` },
      `Invalid Parameter: FromDomainSid names SD${NOWHERE}, which does not exist`,
    ],
    [{ fromDomainSid: 'x' }, 'Invalid Parameter: FromDomainSid must be a SID such as SD…'],
    [{ voiceMethod: 'HEAD' }, 'Invalid Parameter: VoiceMethod must be GET or POST'],
    [{ voiceUrl: 'a.example' }, 'Invalid Parameter: VoiceUrl must be an absolute http or https URL'],
  ])('refuse %j', async (values, message) => {
    const { client } = await startApi();
    const { sid } = await client.voice.v1.byocTrunks.create();
    expect(await failed(client.voice.v1.byocTrunks.create(values))).toMatchObject({
      status: 400,
      code: 20001,
      message,
    });
    expect(await failed(client.voice.v1.byocTrunks(sid).update(values))).toMatchObject({
      status: 400,
      code: 20001,
      message,
    });
    expect(await client.voice.v1.byocTrunks.list()).toHaveLength(1);
  });

  it('never show the password of a URL, and do not take the mask for one', async () => {
    const { client, store } = await startApi();
    const { sid, voiceUrl } = await client.voice.v1.byocTrunks.create({
      voiceUrl: 'https://bob:s3cret@a.example/x',
    });
    expect(voiceUrl).toBe('https://****@a.example/x');
    const context = client.voice.v1.byocTrunks(sid);
    expect(await failed(context.update({ voiceUrl }))).toMatchObject({ status: 400 });
    expect((await context.update({ friendlyName: 'x' })).voiceUrl).toBe(voiceUrl);
    expect(store.directory.find(byocTrunk, sid)?.voiceUrl).toBe('https://bob:s3cret@a.example/x');
  });

  it('are in the directory before the API answers', async () => {
    const { client, store } = await startApi();
    const { sid } = await client.voice.v1.byocTrunks.create({ friendlyName: 'a' });
    expect(store.directory.find(byocTrunk, sid)?.friendlyName).toBe('a');
    await client.voice.v1.byocTrunks(sid).update({ friendlyName: 'b' });
    expect(store.directory.find(byocTrunk, sid)?.friendlyName).toBe('b');
    await client.voice.v1.byocTrunks(sid).remove();
    expect(store.directory.find(byocTrunk, sid)).toBeUndefined();
  });
});
