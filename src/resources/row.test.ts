// That row types follow from definitions, and rows from row types.
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { seededRandom } from '../lib/random.ts';
import {
  account,
  byocTrunk,
  call,
  connectionPolicyTarget,
  isSid,
  newRow,
  newSid,
  parameterName,
  parentField,
  propertyName,
  type Row,
  resourceOfSid,
  resources,
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
  it('has each prefix, table and list key of one parent once', () => {
    for (const values of [resources.map((each) => each.sid), resources.map((each) => each.table)]) {
      expect(new Set(values).size).toBe(resources.length);
    }
  });

  it('names parents and what is referred to before those that need them', () => {
    expect(parentField(connectionPolicyTarget)).toBe('connectionPolicySid');
    expect(parentField(byocTrunk)).toBeUndefined();
    for (const [index, definition] of resources.entries()) {
      const before = resources.slice(0, index);
      if (definition.parent) expect(before).toContain(definition.parent);
      for (const field of Object.values(definition.fields)) {
        const target = field.references && resourceOfSid(field.references);
        if (target) expect(before).toContain(target);
      }
    }
  });

  it('has filters that are fields', () => {
    for (const definition of resources) {
      for (const filter of definition.filters ?? []) expect(Object.keys(definition.fields)).toContain(filter);
    }
    expect(account.filters).toContain('status');
  });
});
