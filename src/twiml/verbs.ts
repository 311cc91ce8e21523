// The verbs of a document, every attribute resolved: defaults are filled in, URLs made absolute, units are milliseconds.

/** Where an element's start tag ends, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * A request that brings the next document. `url` is absolute where it could be resolved; where it could not it stands
 * as written, and the interpreter answers `fail` (11100) instead of `fetch`.
 */
export interface Destination {
  readonly url: string;
  readonly method: 'GET' | 'POST';
}

/** A request that only tells; its URL is absolute. */
export interface Callback extends Destination {
  readonly events: readonly string[];
}

export interface Say {
  readonly verb: 'Say';
  readonly text: string;
  readonly voice: string;
  readonly language: string;
  /** How often, 1 to 1000. */
  readonly loop: number;
}

export interface Play {
  readonly verb: 'Play';
  readonly url: string;
  readonly loop: number;
}

/** `<Play digits>`: keys `0-9 * # A-D`, `w` is half a second of silence, `W` a whole one. */
export interface PlayDigits {
  readonly verb: 'PlayDigits';
  readonly digits: string;
  readonly loop: number;
}

export interface Pause {
  readonly verb: 'Pause';
  readonly durationMs: number;
}

/** What may stand in Gather. */
export type Prompt = (Say | Play | PlayDigits | Pause) & Place;

export interface GatherRules {
  /** False where only speech was asked for: keys then count for nothing. */
  readonly dtmf: boolean;
  /** Silence after the last prompt or key that ends the input. */
  readonly timeoutMs: number;
  /** One key, or '' where none ends the input. */
  readonly finishOnKey: string;
  readonly numDigits: number | undefined;
}

export interface Gather {
  readonly verb: 'Gather';
  readonly action: Destination;
  readonly actionOnEmptyResult: boolean;
  readonly prompts: readonly Prompt[];
  readonly rules: GatherRules;
}

export interface RecordRules {
  /** Silence that ends the recording; undefined where none does. */
  readonly timeoutMs: number | undefined;
  /** Every key that ends the recording. */
  readonly finishOnKey: string;
  readonly maxLengthMs: number;
  readonly playBeep: boolean;
  readonly trimSilence: boolean;
  readonly callback: Callback | undefined;
}

export interface Record {
  readonly verb: 'Record';
  readonly action: Destination;
  readonly rules: RecordRules;
}

export interface SipHeader {
  readonly name: string;
  readonly value: string;
}

export interface SipAddress {
  /** `sip:user@host:port;params` without headers and without the parameters that are ours (edge, region, secure, tnx). */
  readonly uri: string;
  /** TLS and SRTP are asked for. */
  readonly secure: boolean;
  readonly headers: readonly SipHeader[];
}

interface Ringable {
  /** TwiML that the callee hears before the bridge; its call is then begun with the role `screening`. */
  readonly screening: Destination | undefined;
  readonly callback: Callback | undefined;
}

export interface NumberTarget extends Ringable {
  readonly noun: 'Number';
  readonly number: string;
  /** Keys to send once the callee has answered, as in `PlayDigits`. */
  readonly sendDigits: string;
  /** Sid of the BYOC trunk, as written. */
  readonly byoc: string | undefined;
}

export interface SipTarget extends Ringable {
  readonly noun: 'Sip';
  readonly address: SipAddress;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
}

export type DialTarget = NumberTarget | SipTarget;

export interface DialRecording {
  readonly from: 'answer' | 'ringing';
  readonly channels: 1 | 2;
  readonly track: 'inbound' | 'outbound' | 'both';
  readonly trimSilence: boolean;
  readonly callback: Callback | undefined;
}

export interface DialRules {
  /** At most 10, never none. All ring together, or one after the other where `sequential`. */
  readonly targets: readonly DialTarget[];
  readonly sequential: boolean;
  readonly timeoutMs: number;
  /** How long the bridge may last. */
  readonly timeLimitMs: number;
  /** What a Sip is shown; undefined: the caller's From. Whether the account may show it is not checked here. */
  readonly callerId: string | undefined;
  /** What a Number is shown: the same where it is a number. */
  readonly callerNumber: string | undefined;
  readonly hangupOnStar: boolean;
  /** The caller is answered when the callee is. */
  readonly answerOnBridge: boolean;
  /** Country of the ringing tone. */
  readonly ringTone: string | undefined;
  readonly record: DialRecording | undefined;
}

export interface Dial {
  readonly verb: 'Dial';
  readonly action: Destination | undefined;
  /** Asked when a party of the bridge sends REFER. */
  readonly refer: Destination | undefined;
  readonly rules: DialRules;
}

export interface Refer {
  readonly verb: 'Refer';
  readonly action: Destination | undefined;
  readonly target: SipAddress;
}

export interface Reject {
  readonly verb: 'Reject';
  readonly reason: 'rejected' | 'busy';
}

export interface Redirect {
  readonly verb: 'Redirect';
  readonly to: Destination;
}

export interface Hangup {
  readonly verb: 'Hangup';
}

export type Verb = Prompt | ((Gather | Record | Dial | Refer | Reject | Redirect | Hangup) & Place);
