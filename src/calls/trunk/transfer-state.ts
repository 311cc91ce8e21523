// A transfer by REFER, pure: what each party hears and is told, from the REFER that was taken to its end.
//
//   placing ──target answers──▶ joined ──either hangs up──▶ over (the call is)
//      ├──target fails, transferor still there──▶ over (the call is as it was before)
//      └──transferee hangs up, or nobody is left to fall back on──▶ over (the call is)
//
// The transferor (the PBX) asks; the transferee stays in the call; the target is who they are to talk to.

export type TransferParty = 'transferor' | 'transferee' | 'target';

export interface TransferState {
  readonly phase: 'placing' | 'joined' | 'over';
  /** A transferor who hangs up early has done their part: the transfer goes on without them (RFC 5589 §6.1). */
  readonly hasTransferor: boolean;
  readonly isRinging: boolean;
}

export type TransferInput =
  | { readonly type: 'ringing' | 'answered' }
  /** The target was not reached; `status` is what the transferor is told. */
  | { readonly type: 'failed'; readonly status: number }
  | { readonly type: 'left'; readonly party: TransferParty }
  /** The transferor was told that the transfer is made, and has not hung up. */
  | { readonly type: 'overdue' }
  /** The call goes on in another way: whoever is in it needs the target no more. */
  | { readonly type: 'redirected' };

export type TransferAction =
  /** Transferor and transferee hear nothing of each other any more. */
  | { readonly type: 'hold' }
  /** Call the target, or fetch it from its own call; `ringing`, `answered` or `failed` follow. */
  | { readonly type: 'place' }
  /** NOTIFY to the transferor. */
  | { readonly type: 'tell'; readonly status: number }
  /** The transferee hears a ringing tone: no sound of the target reaches them before the answer. */
  | { readonly type: 'tone' }
  /** Transferee and target talk. */
  | { readonly type: 'join' }
  /** `overdue` follows, unless the transferor hangs up. */
  | { readonly type: 'await-bye' }
  /** BYE to the transferor. */
  | { readonly type: 'release' }
  /** Transferor and transferee talk again. */
  | { readonly type: 'restore' }
  /** Give up the target, or hang it up. */
  | { readonly type: 'drop'; readonly why: string }
  /** The call is over, for whoever of transferor and transferee is still in it. */
  | { readonly type: 'end'; readonly why: string };

export interface TransferStep {
  readonly state: TransferState;
  readonly actions: readonly TransferAction[];
}

const RINGING = 180;
const OK = 200;
/** The transferee gave up before the target answered. */
const TERMINATED = 487;

export const beginTransfer = (): TransferStep => ({
  state: { phase: 'placing', hasTransferor: true, isRinging: false },
  actions: [{ type: 'hold' }, { type: 'place' }],
});

/** An input that comes too late changes nothing. */
export function stepTransfer(state: TransferState, input: TransferInput): TransferStep {
  if (state.phase === 'over') return stay(state);
  switch (input.type) {
    case 'ringing':
      return state.phase === 'placing' && !state.isRinging ? ringing(state) : stay(state);
    case 'answered':
      return state.phase === 'placing' ? joined(state) : stay(state);
    case 'failed':
      return failed(state, input.status);
    case 'left':
      return left(state, input.party);
    case 'redirected':
      return over(state, ...unmade(state), { type: 'drop', why: 'the call was given other TwiML' });
    case 'overdue':
      return state.phase === 'joined' && state.hasTransferor ? released(state) : stay(state);
  }
}

const stay = (state: TransferState): TransferStep => ({ state, actions: [] });

const over = (state: TransferState, ...actions: readonly TransferAction[]): TransferStep => ({
  state: { ...state, phase: 'over' },
  actions,
});

const released = (state: TransferState): TransferStep => ({
  state: { ...state, hasTransferor: false },
  actions: [{ type: 'release' }],
});

const ringing = (state: TransferState): TransferStep => ({
  state: { ...state, isRinging: true },
  actions: [{ type: 'tone' }, ...told(state, RINGING)],
});

function joined(state: TransferState): TransferStep {
  const farewell: readonly TransferAction[] = state.hasTransferor ? [{ type: 'await-bye' }] : [];
  return {
    state: { ...state, phase: 'joined' },
    actions: [{ type: 'join' }, ...told(state, OK), ...farewell],
  };
}

function failed(state: TransferState, status: number): TransferStep {
  if (state.phase === 'joined') return left(state, 'target');
  if (state.hasTransferor) return over(state, { type: 'restore' }, ...told(state, status));
  return over(state, {
    type: 'end',
    why: `the transfer failed (${status}), and who asked for it has hung up`,
  });
}

function left(state: TransferState, party: TransferParty): TransferStep {
  switch (party) {
    case 'transferor':
      return stay({ ...state, hasTransferor: false });
    case 'transferee': {
      const why = 'who was transferred hung up';
      return over(state, ...unmade(state), { type: 'drop', why }, { type: 'end', why });
    }
    case 'target':
      return over(state, { type: 'end', why: 'the target of the transfer hung up' });
  }
}

/** What the transferor has not heard yet. */
const unmade = (state: TransferState): readonly TransferAction[] =>
  state.phase === 'placing' ? told(state, TERMINATED) : [];

const told = ({ hasTransferor }: TransferState, status: number): readonly TransferAction[] =>
  hasTransferor ? [{ type: 'tell', status }] : [];
