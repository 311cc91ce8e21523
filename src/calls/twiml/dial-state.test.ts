import { describe, expect, it } from 'vitest';
import { beginDial, type DialInput, type DialPlan, type DialState, stepDial } from './dial-state.ts';

const PLAN: DialPlan = {
  branches: [{ prepares: false }, { prepares: false }],
  sequential: false,
  ownTone: false,
  hangupOnStar: false,
};

/** Actions of the beginning and of each input, in words such as `ring 0`. */
function run(plan: Partial<DialPlan>, ...inputs: DialInput[]): { told: string[][]; state: DialState } {
  let step = beginDial({ ...PLAN, ...plan });
  const told = [step];
  for (const input of inputs) told.push((step = stepDial(step.state, input)));
  const words = told.map(({ actions }) =>
    actions.map((action) => ('branch' in action ? `${action.type} ${action.branch}` : action.type)),
  );
  return { told: words, state: step.state };
}

const on = (type: Extract<DialInput, { branch: number }>['type'], branch: number): DialInput => ({
  type,
  branch,
});

describe('several callees together', () => {
  it('the first to answer wins, the others stop ringing', () => {
    const { told } = run(
      {},
      on('ringing', 0),
      on('ringing', 1),
      on('answered', 1),
      on('ended', 0),
      on('answered', 0),
      on('ended', 1),
    );
    expect(told).toEqual([['ring 0', 'ring 1'], ['tone'], [], ['bridge 1', 'drop 0'], [], [], ['done 1']]);
  });

  it('nobody answers: the last one is told of', () => {
    const { told, state } = run({}, on('ended', 1), on('ended', 0));
    expect(told).toEqual([['ring 0', 'ring 1'], [], ['done 0']]);
    expect(state).toMatchObject({ phase: 'over', winner: undefined });
  });

  it('one who answers at the very moment another has won is dropped and not bridged', () => {
    const { told } = run({}, on('answered', 0), on('answered', 1), on('ended', 1), on('ended', 0));
    expect(told.slice(1)).toEqual([['bridge 0', 'drop 1'], [], [], ['done 0']]);
  });
});

describe('one after the other', () => {
  it('the next rings when the one before has ended', () => {
    const { told } = run(
      { sequential: true },
      on('ringing', 0),
      on('ended', 0),
      on('answered', 1),
      on('ended', 1),
    );
    expect(told).toEqual([['ring 0'], ['tone'], ['ring 1'], ['bridge 1'], ['done 1']]);
  });

  it('the others are not rung once somebody has talked', () => {
    const { told } = run({ sequential: true }, on('answered', 0), on('ended', 0));
    expect(told).toEqual([['ring 0'], ['bridge 0'], ['done 0']]);
  });

  it('nobody else is rung when the caller is gone', () => {
    const { told } = run({ sequential: true }, { type: 'stop' }, on('ended', 0));
    expect(told).toEqual([['ring 0'], ['drop 0'], ['done 0']]);
  });
});

describe('between answer and bridge', () => {
  const screened = { branches: [{ prepares: true }, { prepares: true }] };

  it('others go on ringing until one is ready; who declines loses nothing for them', () => {
    const { told } = run(
      screened,
      on('ringing', 0),
      on('answered', 0),
      on('answered', 1),
      on('ended', 0),
      on('ready', 1),
    );
    expect(told.slice(2)).toEqual([['prepare 0'], ['prepare 1'], [], ['bridge 1']]);
  });

  it('the caller hears the tone, never the screening', () => {
    const { told } = run(screened, on('early', 0), on('answered', 0));
    expect(told.slice(1)).toEqual([['early 0'], ['tone', 'prepare 0']]);
  });

  it('one who is ready after another has won is not bridged', () => {
    const { told } = run(
      screened,
      on('answered', 0),
      on('answered', 1),
      on('ready', 1),
      on('ready', 0),
      on('ended', 0),
    );
    expect(told.slice(3)).toEqual([['bridge 1', 'drop 0'], [], []]);
  });
});

describe('what the caller hears', () => {
  it('the first callee with sound takes the place of the tone, and gives it back when they go', () => {
    const { told } = run({}, on('ringing', 0), on('early', 0), on('early', 1), on('ended', 0));
    expect(told.slice(1)).toEqual([['tone'], ['early 0'], [], ['tone']]);
  });

  it('a ringing tone of our own stays', () => {
    const { told } = run({ ownTone: true }, on('ringing', 0), on('early', 0));
    expect(told.slice(1)).toEqual([['tone'], []]);
  });
});

describe('the conversation ends', () => {
  it('by *, where that is asked for, and only while they talk', () => {
    const star = { type: 'star' } as const;
    expect(run({ hangupOnStar: true }, star, on('answered', 0), star).told.slice(1)).toEqual([
      [],
      ['bridge 0', 'drop 1'],
      ['drop 0'],
    ]);
    expect(run({}, on('answered', 0), star).told.at(-1)).toEqual([]);
  });

  it('by the time limit', () => {
    expect(run({}, on('answered', 0), { type: 'time-limit' }).told.at(-1)).toEqual(['drop 0']);
  });

  it('when the callee is given other TwiML; the caller goes on', () => {
    const { told, state } = run({}, on('answered', 0), on('ended', 1), on('moved', 0), on('ended', 0));
    expect(told.slice(3)).toEqual([['done 0'], []]);
    expect(state.hasMoved).toBe(true);
  });

  it('when a callee who asked to be sent elsewhere leaves, or is given other TwiML: nothing is told of the Dial', () => {
    const refer = { type: 'refer', by: 'callee' } as const;
    for (const goes of ['ended', 'moved'] as const) {
      const { told, state } = run({}, on('answered', 0), on('ended', 1), refer, on(goes, 0), on('ended', 0));
      expect([told.slice(3), state.phase]).toEqual([[['part 0'], ['let-go 0'], []], 'over']);
    }
  });

  it('when a caller who asked to be sent elsewhere is gone: the callee stays, and the Dial is told of once it has moved', () => {
    const refer = { type: 'refer', by: 'caller' } as const;
    const { told } = run({}, on('answered', 0), on('ended', 1), refer, { type: 'stop' }, on('moved', 0));
    expect(told.slice(3)).toEqual([['part 0'], ['let-go 0'], ['done 0']]);
  });

  it('not by a REFER that leads nowhere, once or twice; nobody asks while they do not talk', () => {
    const [refer, stays] = [{ type: 'refer', by: 'caller' }, { type: 'stays' }] as const;
    const { told } = run(
      {},
      refer,
      stays,
      on('answered', 0),
      refer,
      refer,
      stays,
      stays,
      refer,
      on('ended', 0),
    );
    expect(told.slice(1, 3)).toEqual([[], []]);
    expect(told.slice(4)).toEqual([['part 0'], [], ['rejoin 0'], [], ['part 0'], []]);
  });

  it('when the caller is gone: everyone is dropped, and it is over when the last has ended', () => {
    const { told } = run({}, on('answered', 0), { type: 'stop' }, on('ended', 1), on('ended', 0));
    expect(told.slice(2)).toEqual([['drop 0', 'drop 1'], [], ['done 0']]);
  });
});
