import { describe, expect, it } from 'vitest';
import { OWNER, World } from '../../test/support/doorstep.ts';
import { dialingPermissionsCountry, dialingPermissionsSettings, newRow } from '../resources/index.ts';
import { type CountryPermissions, dialingPermissionsOf, mayDial } from './dialing-permission.ts';

const ALL: CountryPermissions = {
  lowRiskNumbersEnabled: true,
  highRiskSpecialNumbersEnabled: true,
  highRiskTollfraudNumbersEnabled: true,
};

const terms = (countries: Readonly<Record<string, Partial<CountryPermissions>>>, ...fraud: string[]) => ({
  of: (isoCode: string) => (countries[isoCode] ? { ...ALL, ...countries[isoCode] } : undefined),
  tollFraudPrefixes: fraud,
  areOpen: false,
});

const CLOSED = { lowRiskNumbersEnabled: false };

describe('a number', () => {
  it.each([
    ['+442079460000', 'of a country that nothing is said of', {}, undefined],
    ['+442079460000', 'of a country that is closed', { GB: CLOSED }, 'GB lowRiskNumbersEnabled'],
    ['+442079460000', 'beside a country that is closed', { DE: CLOSED, GG: CLOSED }, undefined],
    ['+449061234567', 'of premium rate where special numbers are', { GB: CLOSED }, undefined],
    [
      '+449061234567',
      'of premium rate where they are not',
      { GB: { highRiskSpecialNumbersEnabled: false } },
      'GB highRiskSpecialNumbersEnabled',
    ],
    ['+14155550100', 'of the USA while Canada and Jamaica are closed', { CA: CLOSED, JM: CLOSED }, undefined],
    ['+18765550123', 'of Jamaica while the USA are open', { JM: CLOSED }, 'JM lowRiskNumbersEnabled'],
    ['+15550001234', 'that no plan of +1 lists while one is open', { US: CLOSED }, undefined],
    ['+88213123456', 'of a satellite, which is of no country', { US: CLOSED }, undefined],
    ['+999123', 'of a calling code that nobody has', { US: CLOSED }, undefined],
    ['911', 'that is none in E.164', { US: CLOSED }, undefined],
  ])('%s, %s', (number, _what, countries, expected) => {
    const verdict = mayDial(number, terms(countries));
    expect(verdict.kind === 'forbidden' ? `${verdict.isoCode} ${verdict.permission}` : undefined).toBe(
      expected,
    );
  });

  it('that no plan of its calling code lists is forbidden where all of them are', () => {
    const closed = { of: () => ({ ...ALL, ...CLOSED }), tollFraudPrefixes: [], areOpen: false };
    expect(mayDial('+15550001234', closed)).toMatchObject({ kind: 'forbidden' });
  });

  it('known for toll fraud is judged as that, whatever else it is', () => {
    const countries = { LV: { highRiskTollfraudNumbersEnabled: false } };
    expect(mayDial('+37163123456', terms(countries))).toEqual({ kind: 'allowed' });
    expect(mayDial('+37163123456', terms(countries, '+44', '+37163'))).toEqual({
      kind: 'forbidden',
      isoCode: 'LV',
      permission: 'highRiskTollfraudNumbersEnabled',
    });
    expect(mayDial('+37163123456', terms({ LV: CLOSED }, '+37163'))).toEqual({ kind: 'allowed' });
  });
});

describe('the permissions of an account', () => {
  const sub = `AC${'2'.repeat(32)}`;
  const close = (world: World, accountSid: string, isoCode: string) =>
    world.directory.put(
      dialingPermissionsCountry,
      newRow(dialingPermissionsCountry, { accountSid, isoCode, ...ALL, ...CLOSED }, world),
    );
  const kindFor = (world: World, accountSid: string) =>
    mayDial('+442079460000', dialingPermissionsOf(accountSid, world.directory, [])).kind;

  it('are its own', () => {
    const world = new World();
    world.account(sub, OWNER);
    close(world, OWNER, 'DE');
    expect(kindFor(world, OWNER)).toBe('allowed');
    close(world, OWNER, 'GB');
    expect(kindFor(world, OWNER)).toBe('forbidden');
  });

  it('are its parent’s as long as it inherits', () => {
    const world = new World();
    world.account(sub, OWNER);
    close(world, OWNER, 'GB');
    expect(kindFor(world, sub)).toBe('forbidden');
    const values = { accountSid: sub, dialingPermissionsInheritance: false };
    world.directory.put(dialingPermissionsSettings, newRow(dialingPermissionsSettings, values, world));
    expect(kindFor(world, sub)).toBe('allowed');
    close(world, sub, 'GB');
    expect(kindFor(world, sub)).toBe('forbidden');
  });
});
