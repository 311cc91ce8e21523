// Runs a document one action at a time; the shell performs the action and steps again when it is done.
import type { Verb } from './verbs.ts';

export type TwimlAction =
  | { readonly type: 'say'; readonly text: string; readonly voice: string; readonly language: string }
  | { readonly type: 'play'; readonly url: string }
  | { readonly type: 'pause'; readonly durationMs: number }
  | { readonly type: 'fetch'; readonly url: string; readonly method: 'GET' | 'POST' }
  | { readonly type: 'hangup'; readonly why: string };

export interface TwimlState {
  readonly verbs: readonly Verb[];
  /** The verb that is next. */
  readonly position: number;
  /** How often it has run already. */
  readonly repeated: number;
}

export const begin = (verbs: readonly Verb[]): TwimlState => ({ verbs, position: 0, repeated: 0 });

/** The next thing to do. After a `fetch`, the fetched document starts anew with `begin`. */
export function step(state: TwimlState): { readonly state: TwimlState; readonly action: TwimlAction } {
  const verb = state.verbs[state.position];
  const following = { ...state, position: state.position + 1, repeated: 0 };
  switch (verb?.verb) {
    case undefined:
      return { state, action: { type: 'hangup', why: 'the TwiML came to its end' } };
    case 'Hangup':
      return { state, action: { type: 'hangup', why: '<Hangup>' } };
    case 'Pause':
      return { state: following, action: { type: 'pause', durationMs: verb.lengthS * 1000 } };
    case 'Redirect':
      return { state: following, action: { type: 'fetch', url: verb.url, method: verb.method } };
    case 'Play':
      return { state: afterLoop(state, verb.loop), action: { type: 'play', url: verb.url } };
    case 'Say': {
      const { text, voice, language, loop } = verb;
      return { state: afterLoop(state, loop), action: { type: 'say', text, voice, language } };
    }
  }
}

/** Stays at the verb until it has run `loop` times. */
const afterLoop = (state: TwimlState, loop: number): TwimlState =>
  state.repeated + 1 < loop
    ? { ...state, repeated: state.repeated + 1 }
    : { ...state, position: state.position + 1, repeated: 0 };
