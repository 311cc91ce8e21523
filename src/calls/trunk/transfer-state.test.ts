import { describe, expect, it } from 'vitest';
import { beginTransfer, stepTransfer, type TransferInput } from './transfer-state.ts';

/** What is done from the REFER on, an input after the other. */
function run(...inputs: readonly TransferInput[]): readonly string[][] {
  let { state, actions } = beginTransfer();
  const done = [actions];
  for (const input of inputs) {
    ({ state, actions } = stepTransfer(state, input));
    done.push(actions);
  }
  return done.map((each) =>
    each.map((action) => ('status' in action ? `${action.type} ${action.status}` : action.type)),
  );
}

const ringing: TransferInput = { type: 'ringing' };
const answered: TransferInput = { type: 'answered' };
const overdue: TransferInput = { type: 'overdue' };
const failed: TransferInput = { type: 'failed', status: 486 };
const left = (party: 'transferor' | 'transferee' | 'target'): TransferInput => ({ type: 'left', party });

const BEGUN = ['hold', 'place'];
const RINGS = ['tone', 'tell 180'];
const JOINS = ['join', 'tell 200', 'await-bye'];

describe('a transfer', () => {
  it.each<readonly [string, readonly TransferInput[], readonly (readonly string[])[]]>([
    ['that is made', [ringing, answered, left('transferor')], [RINGS, JOINS, []]],
    ['to a target that rings twice', [ringing, ringing, answered], [RINGS, [], JOINS]],
    ['to a target that answers at once', [answered, ringing], [JOINS, []]],
    ['whose transferor does not hang up', [answered, overdue, overdue], [JOINS, ['release'], []]],
    ['whose transferor hung up in time', [answered, left('transferor'), overdue], [JOINS, [], []]],
    ['to a target that is busy', [ringing, failed, answered], [RINGS, ['restore', 'tell 486'], []]],
    ['whose transferor leaves at once', [left('transferor'), ringing, answered], [[], ['tone'], ['join']]],
    ['whose transferor leaves, to a busy target', [left('transferor'), failed], [[], ['end']]],
    [
      'whose transferee leaves while it rings',
      [ringing, left('transferee'), failed],
      [RINGS, ['tell 487', 'drop', 'end'], []],
    ],
    ['whose parties both leave', [left('transferor'), left('transferee')], [[], ['drop', 'end']]],
    ['whose transferee leaves later', [answered, left('transferee')], [JOINS, ['drop', 'end']]],
    [
      'that the call needs no more',
      [ringing, { type: 'redirected' }, failed],
      [RINGS, ['tell 487', 'drop'], []],
    ],
    ['that was needed for a while', [answered, { type: 'redirected' }], [JOINS, ['drop']]],
    ['whose target leaves later', [answered, left('transferor'), left('target')], [JOINS, [], ['end']]],
    ['whose target leaves before the transferor', [answered, failed, overdue], [JOINS, ['end'], []]],
  ])('%s', (_name, inputs, done) => {
    expect(run(...inputs)).toEqual([BEGUN, ...done]);
  });

  it('ends for whoever is in it, whatever comes in whatever order', () => {
    const all = [ringing, answered, overdue, failed, left('transferor'), left('transferee'), left('target')];
    for (const orders of permutations(all)) {
      const actions = run(...orders).flat();
      const outcomes = actions.filter((action) => action === 'end' || action === 'restore');
      expect(outcomes).toHaveLength(1);
      // The last word is said once at most, and nothing is said after it.
      const told = actions
        .filter((action) => action.startsWith('tell'))
        .map((action) => Number(action.slice(5)));
      expect(told.slice(0, -1).every((status) => status < 200)).toBe(true);
    }
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    permutations([...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [item, ...rest]),
  );
}
