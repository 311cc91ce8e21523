// What the interpreter asks its shell to do, and what it is told in return.
import type { Destination, DialRules, GatherRules, Prompt, RecordRules, SipAddress } from './verbs.ts';

export type PromptAction =
  | { readonly type: 'say'; readonly text: string; readonly voice: string; readonly language: string }
  /** `isAgain`: the same file as just before. */
  | { readonly type: 'play'; readonly url: string; readonly isAgain: boolean }
  | { readonly type: 'play-digits'; readonly digits: string }
  | { readonly type: 'pause'; readonly durationMs: number };

/** Form parameters beside those that every request of the call carries. */
export type Parameters = Readonly<Record<string, string>>;

export interface FetchAction {
  readonly type: 'fetch';
  /** The verb or attribute that asks, as in `<Gather action>`. */
  readonly by: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly parameters: Parameters;
  /** `run`: the answer is the next document. `ignore`: the call is over, the app is only told. */
  readonly answer: 'run' | 'ignore';
}

/** In the comment: the input that goes on after it. */
export type Action =
  /** `answered`. Pick up: what follows needs a call that is answered. */
  | { readonly type: 'answer' }
  /** `done`, when it was heard to its end or could not be played. */
  | PromptAction
  /** `gathered`. `gather.ts` runs it, key by key. */
  | { readonly type: 'gather'; readonly prompts: readonly Prompt[]; readonly rules: GatherRules }
  /** `recorded`. */
  | { readonly type: 'record'; readonly rules: RecordRules }
  /** `dialed`, once the bridge has ended or nobody answered. Before that: `transfer`, for each REFER of a party. */
  | { readonly type: 'dial'; readonly rules: DialRules }
  /**
   * `dialed`. A party of a Dial sent REFER: the other one goes on with the document at `to`. Where it `stays`, not before
   * that document's own Dial is answered, and else the two talk again.
   */
  | {
      readonly type: 'hand-over';
      readonly by: 'caller' | 'callee';
      readonly stays: boolean;
      readonly to: Destination;
      readonly parameters: Parameters;
    }
  /** `referred`. Send REFER on the caller's leg. */
  | { readonly type: 'refer'; readonly target: SipAddress }
  /** None: the answer begins anew. */
  | FetchAction
  /** None. What `by` asks for cannot be: the fallback URL is asked, or the apology is heard. `code` is 11100. */
  | { readonly type: 'fail'; readonly code: number; readonly by: string; readonly message: string }
  /** None. Refuse the call, which was not answered: busy is 486, rejected is 404. */
  | { readonly type: 'reject'; readonly reason: 'rejected' | 'busy' }
  /** None. A callee's screening is over and it takes the call; or a transfer's document is over, and reached nobody. */
  | { readonly type: 'bridge' }
  /** None. */
  | { readonly type: 'hangup'; readonly why: string }
  /** Nothing to do yet; the input that was waited for is still to come. */
  | { readonly type: 'await' }
  /** None. The call is over, and there is nobody to tell. */
  | { readonly type: 'over' };

/** How a Dial ended, in the words of its action request. */
export interface DialOutcome {
  readonly status: 'completed' | 'busy' | 'no-answer' | 'failed' | 'canceled';
  /** The leg that answered, or the last that failed. */
  readonly callSid?: string;
  /** Seconds of conversation; not given where nobody answered, or the callee was moved on. */
  readonly durationS?: number;
  readonly bridged: boolean;
  readonly recordingUrl?: string;
  /** Of a Sip noun. `headers` are the X- headers of the final response, or of BYE. */
  readonly sip?: {
    readonly callId: string;
    readonly responseCode: number;
    readonly headers: readonly { readonly name: string; readonly value: string }[];
  };
}

/** How a Refer ended, in the words of its action request. */
export interface ReferOutcome {
  readonly status: 'in-progress' | 'busy' | 'no-answer' | 'failed' | 'canceled';
  /** Of the REFER. */
  readonly responseCode: number;
  /** What the peer's NOTIFY said; not given where REFER was refused. */
  readonly notifyCode?: number;
}

export type Input =
  | { readonly type: 'answered' }
  | { readonly type: 'done' }
  /** `finishKey` is '' where a timeout or `numDigits` ended it. */
  | { readonly type: 'gathered'; readonly digits: string; readonly finishKey: string }
  | {
      readonly type: 'recorded';
      /** Not given where there is no file at all; silence makes one. */
      readonly recording?: { readonly url: string; readonly sid: string; readonly durationS: number };
      /** The key that ended it. */
      readonly key?: string;
    }
  | { readonly type: 'dialed'; readonly outcome: DialOutcome }
  /** A party of the bridge sent REFER; `target` is its Refer-To. */
  | { readonly type: 'transfer'; readonly target: string; readonly by: 'caller' | 'callee' }
  | { readonly type: 'referred'; readonly outcome: ReferOutcome }
  /** The caller hung up. Feed it at once; recorder, Dial and Refer then tell their outcome as ever. */
  | { readonly type: 'call-ended' };

/**
 * What one playing of a prompt asks for.
 * @param repeated how often it was heard before
 */
export function promptAction(prompt: Prompt, repeated: number): PromptAction {
  switch (prompt.verb) {
    case 'Say':
      return { type: 'say', text: prompt.text, voice: prompt.voice, language: prompt.language };
    case 'Play':
      return { type: 'play', url: prompt.url, isAgain: repeated > 0 };
    case 'PlayDigits':
      return { type: 'play-digits', digits: prompt.digits };
    case 'Pause':
      return { type: 'pause', durationMs: prompt.durationMs };
  }
}

/** How often a prompt is heard. */
export const timesHeard = (prompt: Prompt): number => (prompt.verb === 'Pause' ? 1 : prompt.loop);
