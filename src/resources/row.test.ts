// That row types follow from definitions, and rows from row types.
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { seededRandom } from '../lib/random.ts';
import {
  account,
  byocTrunk,
  call,
  connectionPolicyTarget,
  incomingPhoneNumber,
  isSid,
  newRow,
  newSid,
  parameterName,
  parentField,
  propertyName,
  type Row,
  resourceOfSid,
  resources,
  views,
} from './index.ts';

const world = { clock: new FakeClock(), random: seededRandom(1) };

describe('newRow', () => {
  it('fills in sid, dates and defaults', () => {
    const row: Row<typeof connectionPolicyTarget> = newRow(
      connectionPolicyTarget,
      { accountSid: 'AC1', connectionPolicySid: 'NY1', target: 'sip:a.example' },
      world,
    );
    const priority: number = row.priority;
    const name: string | null = row.friendlyName;
    expect({ ...row, priority, name }).toMatchObject({
      accountSid: 'AC1',
      connectionPolicySid: 'NY1',
      target: 'sip:a.example',
      friendlyName: null,
      priority: 10,
      weight: 10,
      enabled: true,
      dateCreated: world.clock.now(),
      dateUpdated: world.clock.now(),
    });
    expect(isSid(row.sid, 'NE')).toBe(true);
  });

  it('keeps a sid that is given, and types enumerations', () => {
    const row = newRow(
      call,
      { accountSid: 'AC1', sid: 'CA1', to: '+1', from: '+2', direction: 'outbound-api' },
      world,
    );
    const status: 'queued' | string = row.status;
    expect([row.sid, status, row.queueTime, row.statusCallbackEvents]).toEqual(['CA1', 'queued', 0, []]);
    // @ts-expect-error not one of the directions
    newRow(call, { accountSid: 'AC1', to: '', from: '', direction: 'sideways' }, world);
  });
});

describe('sids', () => {
  it.each([
    ['NY0123456789abcdef0123456789abcdef', 'NY', true],
    ['NY0123456789ABCDEF0123456789ABCDEF', 'NY', true],
    ['NE0123456789abcdef0123456789abcdef', 'NY', false],
    ['NY0123456789abcdef0123456789abcde', 'NY', false],
    ['NY0123456789abcdef0123456789abcdeg', 'NY', false],
    ['NY0123456789abcdef0123456789abcdef\n', 'NY', false],
    ['', 'NY', false],
  ])('%j as %s: %s', (text, prefix, valid) => {
    expect(isSid(text, prefix)).toBe(valid);
  });

  it('are fresh each time', () => {
    const random = seededRandom(7);
    expect(newSid('NY', random)).not.toBe(newSid('NY', random));
  });
});

describe('names', () => {
  it.each([
    ['friendlyName', 'FriendlyName', 'friendly_name'],
    ['to', 'To', 'to'],
    ['connectionPolicySid', 'ConnectionPolicySid', 'connection_policy_sid'],
  ])('%s', (field, parameter, property) => {
    expect([parameterName(field), propertyName(field)]).toEqual([parameter, property]);
  });
});

describe('the list of resources', () => {
  it('has each table and each prefix once, but for PN, which numbers and caller IDs share', () => {
    const prefixes = resources.filter(({ name }) => name !== 'OutgoingCallerId').map(({ sid }) => sid);
    expect(new Set(prefixes).size).toBe(resources.length - 1);
    expect(new Set(resources.map(({ table }) => table)).size).toBe(resources.length);
    expect(resourceOfSid('PN')).toBe(incomingPhoneNumber);
  });

  it('has each path and each list key of one parent once', () => {
    const served = [...resources, ...views].filter(({ operations }) => operations.length > 0);
    const paths = served.map(({ api, parent, path }) => `${api} ${parent?.name} ${path}`);
    expect(new Set(paths).size).toBe(served.length);
  });

  it('names parents before children, and refers to what there is', () => {
    expect(parentField(connectionPolicyTarget)).toBe('connectionPolicySid');
    expect(parentField(byocTrunk)).toBeUndefined();
    for (const [index, definition] of resources.entries()) {
      if (definition.parent) expect(resources.slice(0, index)).toContain(definition.parent);
      for (const { references } of Object.values(definition.fields)) {
        if (references) expect(resources).toContain(resourceOfSid(references));
      }
    }
  });

  it('has rules that name fields', () => {
    for (const definition of resources) {
      const fields = ['sid', 'accountSid', parentField(definition), ...Object.keys(definition.fields)];
      const named = [
        ...(definition.unique ?? []).flatMap((rule) => rule.fields),
        ...(definition.indexes ?? []).flat(),
        ...(definition.maps === undefined ? [] : [definition.maps]),
        ...(definition.partialFilters ?? []),
        ...Object.keys(definition.faultCodes ?? {}),
      ];
      expect([definition.name, named.filter((name) => !fields.includes(name))]).toEqual([
        definition.name,
        [],
      ]);
    }
  });

  it('has filters that are fields', () => {
    for (const definition of resources) {
      const columns = [...Object.keys(definition.fields), 'dateCreated'];
      for (const filter of definition.filters ?? []) expect(columns).toContain(filter);
    }
    expect(account.filters).toContain('status');
  });
});
