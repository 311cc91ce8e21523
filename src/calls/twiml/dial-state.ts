// A Dial, pure: who rings when, what the caller hears, who wins, and when it is over.
//
//   ringing ──a callee is ready──▶ talking ──either side, time limit, star──▶ over
//      └──────nobody left, or the caller is gone──────────────────────────────┘
//
// A branch is one callee: waiting → ringing → (preparing: keys, screening) → talking → over.

type Standing = 'waiting' | 'ringing' | 'preparing' | 'talking' | 'over';

export interface DialPlan {
  /** Of each callee: whether something is to be done between the answer and the bridge. */
  readonly branches: readonly { readonly prepares: boolean }[];
  readonly sequential: boolean;
  /** The caller hears our ringing tone, whatever sound callees send before they answer. */
  readonly ownTone: boolean;
  readonly hangupOnStar: boolean;
}

export interface DialState extends DialPlan {
  readonly phase: 'ringing' | 'talking' | 'over';
  readonly standings: readonly Standing[];
  /** The caller is gone, or does something else. */
  readonly isStopped: boolean;
  /** What the caller hears: nothing of ours, the ringing tone, or a branch. */
  readonly sound: 'none' | 'tone' | number;
  /** Who was bridged. */
  readonly winner: number | undefined;
  /** The winner does something else now. */
  readonly hasMoved: boolean;
  /** Whose REFER it is that is not settled yet: the two hear nothing of each other meanwhile. */
  readonly leaving: 'caller' | 'callee' | undefined;
}

export type DialInput =
  | { readonly type: 'ringing' | 'early' | 'answered' | 'ready' | 'ended' | 'moved'; readonly branch: number }
  | { readonly type: 'star' | 'time-limit' | 'stop' }
  /** One of the two asks to be sent elsewhere, and stays until the other has been answered there. */
  | { readonly type: 'refer'; readonly by: 'caller' | 'callee' }
  /** The other has reached nobody. */
  | { readonly type: 'stays' };

export type DialAction =
  | { readonly type: 'ring'; readonly branch: number }
  /** The caller hears the ringing tone. */
  | { readonly type: 'tone' }
  /** The caller hears what the callee sends. */
  | { readonly type: 'early'; readonly branch: number }
  /** Press its keys, run its screening; `ready` follows, or `ended`. */
  | { readonly type: 'prepare'; readonly branch: number }
  /** The two talk now. */
  | { readonly type: 'bridge'; readonly branch: number }
  /** The two hear nothing of each other. */
  | { readonly type: 'part'; readonly branch: number }
  /** They talk again. */
  | { readonly type: 'rejoin'; readonly branch: number }
  /** Whoever asked for it is gone: the other goes on with its document. */
  | { readonly type: 'let-go'; readonly branch: number }
  /** End the callee's call; `ended` follows. */
  | { readonly type: 'drop'; readonly branch: number; readonly why: string }
  /** It is over; `branch` is whose fate is told: the winner's, or the last one's. */
  | { readonly type: 'done'; readonly branch: number };

export interface DialStep {
  readonly state: DialState;
  readonly actions: readonly DialAction[];
}

/** What means nothing once somebody has won. */
const EARLIER: readonly DialInput['type'][] = ['ringing', 'early', 'answered', 'ready'];
const LIVE: readonly Standing[] = ['ringing', 'preparing', 'talking'];

export function beginDial(plan: DialPlan): DialStep {
  const state: DialState = {
    ...plan,
    phase: 'ringing',
    standings: plan.branches.map((_, branch) => (plan.sequential && branch > 0 ? 'waiting' : 'ringing')),
    isStopped: false,
    sound: 'none',
    winner: undefined,
    hasMoved: false,
    leaving: undefined,
  };
  const first = plan.sequential ? [0] : plan.branches.map((_, branch) => branch);
  return { state, actions: first.map((branch) => ({ type: 'ring', branch })) };
}

/** An input that comes too late changes nothing. */
export function stepDial(state: DialState, input: DialInput): DialStep {
  const isLate = state.phase === 'talking' && EARLIER.includes(input.type);
  if (state.phase === 'over' || isLate) return stay(state);
  switch (input.type) {
    case 'ringing':
      return state.sound === 'none' ? tone(state) : stay(state);
    case 'early':
      return early(state, input.branch);
    case 'answered':
      return answered(state, input.branch);
    case 'ready':
      return state.standings[input.branch] === 'preparing' ? bridge(state, input.branch) : stay(state);
    case 'ended':
      return isLeaving(state, input.branch) ? letGo(state) : left(state, input.branch);
    case 'moved':
      if (isLeaving(state, input.branch)) return letGo(state);
      return left({ ...state, hasMoved: state.winner === input.branch }, input.branch);
    case 'star':
      return state.hangupOnStar ? hangUp(state, 'the caller pressed *') : stay(state);
    case 'time-limit':
      return hangUp(state, 'the time limit of <Dial>');
    case 'stop':
      return stop(state);
    case 'refer':
      return refer(state, input.by);
    case 'stays':
      return stays(state);
  }
}

const stay = (state: DialState): DialStep => ({ state, actions: [] });

const tone = (state: DialState): DialStep => ({
  state: { ...state, sound: 'tone' },
  actions: [{ type: 'tone' }],
});

/** The first callee with sound of their own is heard; the others' is not. */
function early(state: DialState, branch: number): DialStep {
  const isHeard = state.standings[branch] === 'ringing' && !state.ownTone && typeof state.sound === 'string';
  if (!isHeard || state.isStopped) return stay(state);
  return { state: { ...state, sound: branch }, actions: [{ type: 'early', branch }] };
}

function answered(state: DialState, branch: number): DialStep {
  if (state.standings[branch] !== 'ringing' || state.isStopped) return stay(state);
  if (!state.branches[branch]?.prepares) return bridge(state, branch);
  const preparing = withStanding(state, branch, 'preparing');
  // What the callee hears now is not for the caller.
  const sound = state.sound === 'tone' ? stay(preparing) : tone(preparing);
  return { state: sound.state, actions: [...sound.actions, { type: 'prepare', branch }] };
}

/** Whoever is ready first wins; the others stop ringing. */
function bridge(state: DialState, branch: number): DialStep {
  const talking = withStanding(state, branch, 'talking');
  const others = liveOf(talking).filter((other) => other !== branch);
  return {
    state: { ...talking, phase: 'talking', winner: branch, sound: 'none' },
    actions: [
      { type: 'bridge', branch },
      ...others.map((other) => ({ type: 'drop', branch: other, why: 'another callee answered' }) as const),
    ],
  };
}

function left(state: DialState, branch: number): DialStep {
  if (!LIVE.includes(state.standings[branch] ?? 'over')) return stay(state);
  const after = withStanding(state, branch, 'over');
  if (liveOf(after).length > 0) {
    return after.phase === 'ringing' && after.sound === branch ? tone(after) : stay(after);
  }
  const next = after.standings.indexOf('waiting');
  if (next < 0 || after.phase === 'talking' || after.isStopped) {
    const done = { type: 'done', branch: after.winner ?? branch } as const;
    return { state: { ...after, phase: 'over' }, actions: [done] };
  }
  const sound = after.sound === branch ? tone(after) : stay(after);
  return {
    state: withStanding(sound.state, next, 'ringing'),
    actions: [...sound.actions, { type: 'ring', branch: next }],
  };
}

function hangUp(state: DialState, why: string): DialStep {
  if (state.phase !== 'talking' || state.winner === undefined) return stay(state);
  return { state, actions: [{ type: 'drop', branch: state.winner, why }] };
}

function refer(state: DialState, leaving: 'caller' | 'callee'): DialStep {
  if (state.winner === undefined || state.leaving || state.isStopped) return stay(state);
  return { state: { ...state, leaving }, actions: [{ type: 'part', branch: state.winner }] };
}

function stays(state: DialState): DialStep {
  if (!state.leaving || state.winner === undefined) return stay(state);
  return { state: { ...state, leaving: undefined }, actions: [{ type: 'rejoin', branch: state.winner }] };
}

const isLeaving = ({ leaving, winner }: DialState, branch: number): boolean =>
  leaving === 'callee' && winner === branch;

/** The caller's own document runs in the Dial's place: nothing is told of it any more. */
function letGo(state: DialState): DialStep {
  return {
    state: { ...state, phase: 'over' },
    actions: [{ type: 'let-go', branch: state.winner as number }],
  };
}

function stop(state: DialState): DialStep {
  if (state.leaving === 'caller' && state.winner !== undefined)
    return { state: { ...state, isStopped: true }, actions: [{ type: 'let-go', branch: state.winner }] };
  const actions = liveOf(state).map(
    (branch) => ({ type: 'drop', branch, why: 'the caller is gone' }) as const,
  );
  return { state: { ...state, isStopped: true }, actions };
}

const liveOf = ({ standings }: DialState): number[] =>
  standings.flatMap((standing, branch) => (LIVE.includes(standing) ? [branch] : []));

const withStanding = (state: DialState, branch: number, standing: Standing): DialState => ({
  ...state,
  standings: state.standings.with(branch, standing),
});
