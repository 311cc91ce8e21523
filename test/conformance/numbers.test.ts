// Phone numbers, applications, caller IDs, carrier routes, dialing permissions and the audit log.
import { describe, expect, it } from 'vitest';
import { incomingPhoneNumber } from '../../src/resources/index.ts';
import { OWNER, startApi } from '../support/api-server.ts';
import { codeOf, failed } from './failed.ts';
import { type Json, post } from './one-of-each.ts';

describe('phone numbers', () => {
  it('are brought by the user, whichever they are', async () => {
    const { client, stranger, store } = await startApi();
    const { incomingPhoneNumbers } = client;
    const number = await incomingPhoneNumbers.create({ phoneNumber: '+1 (415) 555-0123' });
    expect(number).toMatchObject({
      phoneNumber: '+14155550123',
      friendlyName: '(415) 555-0123',
      apiVersion: '2010-04-01',
      capabilities: { voice: true, sms: false, mms: false, fax: false },
      voiceUrl: null,
      voiceMethod: 'POST',
      statusCallback: '',
      voiceApplicationSid: '',
      smsUrl: '',
      trunkSid: null,
      emergencyStatus: 'Inactive',
      beta: false,
      origin: 'hosted',
      status: 'in-use',
      type: 'local',
    });
    expect((await incomingPhoneNumbers.create({ phoneNumber: '+999123456' })).friendlyName).toBe(
      '+999123456',
    );
    expect(await failed(incomingPhoneNumbers.create({ phoneNumber: '+14155550123' }))).toMatchObject({
      status: 400,
      code: 21422,
    });
    await stranger.incomingPhoneNumbers.create({ phoneNumber: '+14155550123' });
    expect(store.directory.findBy(incomingPhoneNumber, { phoneNumber: '+14155550123' })).toHaveLength(2);
    const context = incomingPhoneNumbers(number.sid);
    await context.update({ voiceUrl: 'https://a.example/', friendlyName: 'Desk' });
    expect(await context.update({ voiceUrl: '' })).toMatchObject({ voiceUrl: null, friendlyName: 'Desk' });
    expect(await context.remove()).toBe(true);
  });

  it('are E.164', async () => {
    const { client, ask } = await startApi();
    for (const phoneNumber of ['', '4155550123', '+0123456789', '+123', '+1234567890123456', '+1415x']) {
      const code = await codeOf(client.incomingPhoneNumbers.create({ phoneNumber }));
      expect([phoneNumber, code]).toEqual([phoneNumber, 21421]);
    }
    const response = await post(ask, `/2010-04-01/Accounts/${OWNER.sid}/IncomingPhoneNumbers.json`, {
      AreaCode: '415',
    });
    expect([response.status, ((await response.json()) as Json).code]).toEqual([400, 21421]);
  });

  it('are found by a part of them', async () => {
    const { client } = await startApi();
    const { incomingPhoneNumbers } = client;
    for (const phoneNumber of ['+14155550123', '+14155550199', '+4930123456']) {
      await incomingPhoneNumbers.create({ phoneNumber });
    }
    const found = async (filter: Parameters<typeof incomingPhoneNumbers.list>[0]) =>
      (await incomingPhoneNumbers.list(filter)).map((each) => each.phoneNumber).toSorted();
    expect(await found({ phoneNumber: '415' })).toEqual(['+14155550123', '+14155550199']);
    expect(await found({ phoneNumber: '+1415*****23' })).toEqual(['+14155550123']);
    expect(await found({ phoneNumber: '+4930123456' })).toEqual(['+4930123456']);
    expect(await found({ friendlyName: '(415) 555-0199' })).toEqual(['+14155550199']);
    expect(await found({ beta: true })).toEqual([]);
    expect(await found({ origin: 'hosted' })).toHaveLength(3);
    expect(await codeOf(incomingPhoneNumbers.list({ phoneNumber: '%' }))).toBe(20001);
  });
});

describe('applications', () => {
  it('are created, changed, filtered, and forgotten by the numbers that had them', async () => {
    const { client } = await startApi();
    const app = await client.applications.create({ friendlyName: 'a', voiceUrl: 'https://a.example/' });
    expect(app).toMatchObject({ voiceMethod: 'POST', smsUrl: null, publicApplicationConnectEnabled: false });
    await client.applications.create({ friendlyName: 'b' });
    expect((await client.applications.list({ friendlyName: 'a' })).map(({ sid }) => sid)).toEqual([app.sid]);
    const context = client.applications(app.sid);
    expect(await context.update({ voiceUrl: '', voiceMethod: 'GET' })).toMatchObject({
      voiceUrl: null,
      voiceMethod: 'GET',
    });
    const number = await client.incomingPhoneNumbers.create({
      phoneNumber: '+14155550123',
      voiceApplicationSid: app.sid,
      smsApplicationSid: app.sid,
    });
    expect(await context.remove()).toBe(true);
    expect(await client.incomingPhoneNumbers(number.sid).fetch()).toMatchObject({
      voiceApplicationSid: '',
      smsApplicationSid: '',
    });
  });
});

describe('caller IDs', () => {
  it('are taken at the operator’s word', async () => {
    const { client, stranger } = await startApi();
    const { outgoingCallerIds } = client;
    expect(
      await client.validationRequests.create({ phoneNumber: '+14158675310', friendlyName: 'Desk' }),
    ).toMatchObject({
      accountSid: OWNER.sid,
      phoneNumber: '+14158675310',
      friendlyName: 'Desk',
      validationCode: expect.stringMatching(/^\d{6}$/),
      callSid: null,
    });
    await client.validationRequests.create({ phoneNumber: '+14158675311' });
    const [newest] = await outgoingCallerIds.list();
    expect(newest).toMatchObject({ phoneNumber: '+14158675311', friendlyName: '(415) 867-5311' });
    expect(await outgoingCallerIds.list({ friendlyName: 'Desk' })).toHaveLength(1);
    expect(await outgoingCallerIds.list({ phoneNumber: '+14158675310' })).toHaveLength(1);
    expect(await codeOf(client.validationRequests.create({ phoneNumber: '+14158675310' }))).toBe(21450);
    expect(await codeOf(client.validationRequests.create({ phoneNumber: 'x' }))).toBe(21421);
    const sid = newest?.sid ?? '';
    expect((await outgoingCallerIds(sid).update({ friendlyName: 'x' })).friendlyName).toBe('x');
    expect(await codeOf(stranger.outgoingCallerIds(sid).fetch())).toBe(20404);
    expect(await codeOf(client.incomingPhoneNumbers(sid).fetch())).toBe(20404);
    expect(await outgoingCallerIds(sid).remove()).toBe(true);
  });
});

describe('carrier routes', () => {
  const PATH = '/tandem/v1/CarrierRoutes';

  it('send prefixes to BYOC trunks', async () => {
    const { client, ask, url } = await startApi();
    const trunk = await client.voice.v1.byocTrunks.create();
    const answer = await post(ask, PATH, { Prefix: '+49', ByocTrunkSid: trunk.sid, Priority: '1' });
    expect(answer.status).toBe(201);
    const route = (await answer.json()) as Json;
    expect(route).toMatchObject({
      account_sid: OWNER.sid,
      prefix: '+49',
      byoc_trunk_sid: trunk.sid,
      priority: 1,
      url: `${url}${PATH}/${route.sid}`,
    });
    const all = (await (await post(ask, PATH, { ByocTrunkSid: trunk.sid })).json()) as Json;
    expect(all).toMatchObject({ prefix: '', priority: 10 });
    const list = (await (await ask(`${PATH}?PageSize=1`)).json()) as { meta: Json; carrier_routes: Json[] };
    expect(list.meta).toMatchObject({ key: 'carrier_routes', page_size: 1, page: 0 });
    expect(list.carrier_routes.map(({ sid }) => sid)).toEqual([all.sid]);
    const updated = await post(ask, `${PATH}/${route.sid}`, { Prefix: '' });
    expect(await updated.json()).toMatchObject({ code: 20001, status: 400 });
    expect(await (await post(ask, `${PATH}/${route.sid}`, { Prefix: '+4930' })).json()).toMatchObject({
      prefix: '+4930',
      priority: 1,
    });
    expect(await codeOf(client.voice.v1.byocTrunks(trunk.sid).remove())).toBe(20001);
    for (const { sid } of [route, all]) {
      expect((await ask(`${PATH}/${sid}`, { method: 'DELETE' })).status).toBe(204);
    }
    expect(await client.voice.v1.byocTrunks(trunk.sid).remove()).toBe(true);
    const gone = await ask(`${PATH}/${route.sid}`);
    expect(await gone.json()).toMatchObject({
      code: 20404,
      message: `The requested resource /CarrierRoutes/${route.sid} was not found`,
    });
  });

  it('refuse prefixes that no number has', async () => {
    const { client, ask } = await startApi();
    const { sid } = await client.voice.v1.byocTrunks.create();
    for (const Prefix of ['49', '+', '+4x', '+1234567890123456', '*']) {
      const response = await post(ask, PATH, { Prefix, ByocTrunkSid: sid });
      expect([Prefix, ((await response.json()) as Json).code]).toEqual([Prefix, 20001]);
    }
  });
});

describe('dialing permissions', () => {
  it('allow every country until it is forbidden', async () => {
    const { client, stranger } = await startApi();
    const { dialingPermissions } = client.voice.v1;
    const countries = await dialingPermissions.countries.list();
    expect(countries.length).toBeGreaterThan(200);
    expect(countries.every(({ lowRiskNumbersEnabled }) => lowRiskNumbersEnabled)).toBe(true);
    expect(countries.filter(({ continent }) => continent === null).map(({ isoCode }) => isoCode)).toEqual([]);
    const updateRequest = JSON.stringify([
      { iso_code: 'GB', low_risk_numbers_enabled: 'false' },
      { iso_code: 'LV', high_risk_tollfraud_numbers_enabled: false },
    ]);
    const bulk = () => dialingPermissions.bulkCountryUpdates.create({ updateRequest });
    expect(await bulk()).toMatchObject({ updateCount: 2 });
    await Promise.all([bulk(), bulk(), bulk()]);
    expect(await dialingPermissions.countries('GB').fetch()).toMatchObject({
      isoCode: 'GB',
      name: 'United Kingdom',
      continent: 'EUROPE',
      countryCodes: ['+44'],
      lowRiskNumbersEnabled: false,
      highRiskSpecialNumbersEnabled: true,
    });
    const forbidden = await dialingPermissions.countries.list({ lowRiskNumbersEnabled: false });
    expect(forbidden.map(({ isoCode }) => isoCode)).toEqual(['GB']);
    expect(await dialingPermissions.countries.list({ isoCode: 'FR' })).toHaveLength(1);
    expect((await dialingPermissions.countries.list({ continent: 'SOUTH_AMERICA' })).length).toBe(14);
    expect(await dialingPermissions.countries.list({ countryCode: '44' })).toHaveLength(4);
    expect(await dialingPermissions.countries('LV').highriskSpecialPrefixes.list()).toEqual([]);
    expect(await codeOf(dialingPermissions.countries('XX').fetch())).toBe(20404);
    const theirs = await stranger.voice.v1.dialingPermissions.countries('GB').fetch();
    expect(theirs.lowRiskNumbersEnabled).toBe(true);
  });

  it('page', async () => {
    const { client } = await startApi();
    const { countries } = client.voice.v1.dialingPermissions;
    const all = (await countries.list()).map(({ isoCode }) => isoCode);
    const first = await countries.page({ pageSize: 100 });
    const second = await first.nextPage();
    const third = await second?.nextPage();
    const codes = [first, second, third].flatMap((page) => page?.instances.map(({ isoCode }) => isoCode));
    expect(codes).toEqual(all);
    expect(third?.nextPageUrl).toBeUndefined();
    const back = await third?.previousPage();
    expect(back?.instances.map(({ isoCode }) => isoCode)).toEqual(all.slice(100, 200));
    expect(await codeOf(countries.page({ pageToken: 'PA9999' }))).toBe(21481);
  });

  it('refuse what is no update', async () => {
    const { client } = await startApi();
    const { bulkCountryUpdates } = client.voice.v1.dialingPermissions;
    for (const updateRequest of [
      '',
      'x',
      '{}',
      '[1]',
      '[{"iso_code":"XX"}]',
      '[{"iso_code":"GB","low_risk_numbers_enabled":"x"}]',
    ]) {
      expect([updateRequest, await codeOf(bulkCountryUpdates.create({ updateRequest }))]).toEqual([
        updateRequest,
        20001,
      ]);
    }
  });

  it('have settings', async () => {
    const { client, ask, url } = await startApi();
    const settings = client.voice.v1.dialingPermissions.settings();
    expect((await settings.fetch()).dialingPermissionsInheritance).toBe(true);
    expect(
      (await settings.update({ dialingPermissionsInheritance: false })).dialingPermissionsInheritance,
    ).toBe(false);
    const response = await post(ask, '/v1/Settings');
    expect([response.status, await response.json()]).toEqual([
      202,
      { dialing_permissions_inheritance: false, url: `${url}/v1/Settings` },
    ]);
  });
});

describe('the audit log', () => {
  it('says who changed what, from what to what', async () => {
    const { client, ask, stranger } = await startApi();
    const { sid } = await client.voice.v1.byocTrunks.create({
      friendlyName: 'a',
      voiceUrl: 'https://bob:hunter2@a.example/',
    });
    await client.voice.v1.byocTrunks(sid).update({ friendlyName: 'b' });
    await client.voice.v1.byocTrunks(sid).remove();
    const read = async (query: string) => {
      const body = await (await ask(`/tandem/v1/AuditEvents${query}`)).text();
      expect(body).not.toContain('hunter2');
      return (JSON.parse(body) as { audit_events: Json[] }).audit_events;
    };
    const events = await read(`?ResourceSid=${sid}`);
    expect(events).toMatchObject([
      { action: 'delete', before: { friendly_name: 'b' }, after: null },
      { action: 'update', before: { friendly_name: 'a' }, after: { friendly_name: 'b' } },
      { action: 'create', before: null, after: { friendly_name: 'a', voice_url: 'https://****@a.example/' } },
    ]);
    expect(events[0]).toMatchObject({ actor_sid: OWNER.sid, resource_type: 'ByocTrunk', resource_sid: sid });
    expect(await read('?Action=update&ResourceType=ByocTrunk')).toHaveLength(1);
    await failed(client.voice.v1.byocTrunks.create({ voiceUrl: 'x' }));
    expect(await read('')).toHaveLength(3);
    await stranger.voice.v1.byocTrunks.create();
    expect(await read('')).toHaveLength(3);
    const method = await ask(`/tandem/v1/AuditEvents/${events[0]?.sid}`, { method: 'DELETE' });
    expect(method.status).toBe(405);
  });
});
