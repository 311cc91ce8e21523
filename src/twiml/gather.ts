// One Gather, key by key: prompts until the first key, then a wait that every key begins anew.
//
//   prompting ──last prompt done──▶ waiting ──timeout, numDigits, finishOnKey──▶ collected
//       └───────────key────────────────┘↺ key
import { type PromptAction, promptAction, timesHeard } from './actions.ts';
import type { GatherRules, Prompt } from './verbs.ts';

/** Longer input ends as `numDigits` would end it. */
const MAX_DIGITS = 1000;

export interface GatherState {
  readonly rules: GatherRules;
  readonly prompts: readonly Prompt[];
  readonly phase: 'prompting' | 'waiting' | 'collected';
  /** The prompt that is heard, and how often it was heard before. */
  readonly position: number;
  readonly repeated: number;
  readonly digits: string;
}

export type GatherInput =
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'prompt-done' }
  | { readonly type: 'timeout' };

export type GatherAction =
  /** Let it be heard; `prompt-done` follows. */
  | { readonly type: 'prompt'; readonly prompt: PromptAction }
  /** Stop the prompt that is heard and the timer that runs; `timeout` follows after `timeoutMs`. */
  | { readonly type: 'wait'; readonly timeoutMs: number }
  /** The end: stop prompt and timer. It is also the interpreter's input `gathered`. */
  | { readonly type: 'collected'; readonly digits: string; readonly finishKey: string }
  | { readonly type: 'none' };

export interface GatherStep {
  readonly state: GatherState;
  readonly action: GatherAction;
}

export function beginGather(gather: {
  readonly prompts: readonly Prompt[];
  readonly rules: GatherRules;
}): GatherStep {
  const { prompts, rules } = gather;
  return prompt({ rules, prompts, phase: 'prompting', position: 0, repeated: 0, digits: '' });
}

/** An input that comes too late is ignored. */
export function stepGather(state: GatherState, input: GatherInput): GatherStep {
  if (state.phase === 'collected') return { state, action: { type: 'none' } };
  switch (input.type) {
    case 'key':
      return state.rules.dtmf ? press(state, input.key) : { state, action: { type: 'none' } };
    case 'prompt-done':
      return state.phase === 'prompting' ? prompt(afterPrompt(state)) : { state, action: { type: 'none' } };
    case 'timeout':
      return state.phase === 'waiting' ? collected(state, '') : { state, action: { type: 'none' } };
  }
}

function press(state: GatherState, key: string): GatherStep {
  const { finishOnKey, numDigits = MAX_DIGITS } = state.rules;
  if (key === finishOnKey) return collected(state, key);
  const pressed = { ...state, digits: state.digits + key };
  return pressed.digits.length >= numDigits ? collected(pressed, '') : wait(pressed);
}

function afterPrompt(state: GatherState): GatherState {
  const heard = state.prompts[state.position];
  return heard && state.repeated + 1 < timesHeard(heard)
    ? { ...state, repeated: state.repeated + 1 }
    : { ...state, position: state.position + 1, repeated: 0 };
}

function prompt(state: GatherState): GatherStep {
  const next = state.prompts[state.position];
  return next
    ? { state, action: { type: 'prompt', prompt: promptAction(next, state.repeated) } }
    : wait(state);
}

const wait = (state: GatherState): GatherStep => ({
  state: { ...state, phase: 'waiting' },
  action: { type: 'wait', timeoutMs: state.rules.timeoutMs },
});

const collected = (state: GatherState, finishKey: string): GatherStep => ({
  state: { ...state, phase: 'collected' },
  action: { type: 'collected', digits: state.digits, finishKey },
});
