import { expect, it } from 'vitest';
import { Roster } from './roster.ts';

it('holds one value by each name, until it is deleted', () => {
  const roster = new Roster<{ of: string }>();
  const [a, b] = [{ of: 'a' }, { of: 'b' }];
  roster.set('x', a);
  roster.set('y', b);
  expect([roster.get('x'), roster.get('z'), roster.size, roster.values()]).toEqual([a, undefined, 2, [a, b]]);
  roster.set('x', b);
  expect([roster.get('x'), roster.size]).toEqual([b, 2]);
  roster.delete('x');
  roster.delete('x');
  expect([roster.get('x'), roster.size, roster.values()]).toEqual([undefined, 1, [b]]);
});

it('may be emptied while its values are gone through', () => {
  const roster = new Roster<{ name: string }>();
  for (const name of ['a', 'b', 'c']) roster.set(name, { name });
  const seen = roster.values().map(({ name }) => {
    roster.delete('b');
    roster.delete(name);
    return name;
  });
  expect([seen, roster.size]).toEqual([['a', 'b', 'c'], 0]);
});
