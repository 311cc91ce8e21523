// Runs a document one action at a time; the shell performs the action and tells its outcome.
import {
  type Action,
  type DialOutcome,
  type Input,
  type Parameters,
  promptAction,
  type ReferOutcome,
  timesHeard,
} from './actions.ts';
import type { TwimlDocument } from './document.ts';
import { isFetchable, type TwimlWarning } from './element-reader.ts';
import { dialParameters, referParameters } from './outcome-parameters.ts';
import { type Role, runnable } from './runnable.ts';
import type { Destination, Dial, Prompt, Verb } from './verbs.ts';

export interface DocumentState {
  readonly verbs: readonly Verb[];
  /** The verb that runs, or is next. */
  readonly position: number;
  /** How often it was heard already. */
  readonly repeated: number;
  /** Whether the call is answered, so that the next document begins with it. */
  readonly answered: boolean;
  readonly role: Role;
  /** The input that goes on; none after `document` (another begins) and `nothing` (this is the end). */
  readonly awaits: Exclude<Input['type'], 'transfer' | 'call-ended'> | 'document' | 'nothing';
  readonly callOver: boolean;
}

/** A state with what it asks for. The warnings are to be noted, as those of the document. */
export interface DocumentStep {
  readonly state: DocumentState;
  readonly action: Action;
  readonly warnings: readonly TwimlWarning[];
}

/** The first action of a document; `advance` says what follows. */
export function beginDocument(
  document: TwimlDocument,
  call: { readonly answered: boolean; readonly role?: Role },
): DocumentStep {
  const { answered, role = 'call' } = call;
  const { verbs, warnings } = runnable(document.verbs, role);
  const start: DocumentState = {
    verbs,
    position: 0,
    repeated: 0,
    answered,
    role,
    awaits: 'nothing',
    callOver: false,
  };
  return { ...run(start), warnings };
}

/** What follows after `input`. One that the state does not wait for, or that comes too late, changes nothing. */
export function advance(state: DocumentState, input: Input): DocumentStep {
  if (input.type === 'call-ended') return callEnded(state);
  if (input.type === 'transfer' && state.awaits === 'dialed') return transferred(state, input);
  if (input.type !== state.awaits) return stay(state);
  switch (input.type) {
    case 'answered':
      return run({ ...state, answered: true });
    case 'done':
      return run(afterPrompt(state));
    case 'gathered':
      return gathered(state, input);
    case 'recorded':
      return recorded(state, input);
    case 'dialed':
      return dialed({ ...state, answered: state.answered || input.outcome.bridged }, input.outcome);
    case 'referred':
      return referred(state, input.outcome);
  }
}

const CALL_OVER_AWAITS: readonly DocumentState['awaits'][] = ['dialed', 'recorded', 'referred'];

/** The action URLs of Dial, Record and Refer are asked even so; nothing else of the document runs. */
function callEnded(state: DocumentState): DocumentStep {
  return CALL_OVER_AWAITS.includes(state.awaits)
    ? asks({ ...state, callOver: true }, { type: 'await' })
    : asks({ ...state, callOver: true, awaits: 'nothing' }, { type: 'over' });
}

const stay = (state: DocumentState): DocumentStep =>
  asks(state, state.awaits === 'nothing' ? { type: 'over' } : { type: 'await' });

const asks = (state: DocumentState, action: Action): DocumentStep => ({ state, action, warnings: [] });

/** The action of the verb at the state's position. */
function run(state: DocumentState): DocumentStep {
  const verb = state.verbs[state.position];
  if (!state.answered && answersFirst(verb, state.position)) {
    return asks({ ...state, awaits: 'answered' }, { type: 'answer' });
  }
  if (!verb) {
    return state.role === 'call'
      ? hangUp(state, 'the TwiML came to its end')
      : ends(state, { type: 'bridge' });
  }
  switch (verb.verb) {
    case 'Hangup':
      return hangUp(state, '<Hangup>');
    case 'Reject':
      return state.answered
        ? hangUp(state, '<Reject>')
        : ends(state, { type: 'reject', reason: verb.reason });
    case 'Redirect':
      return ask(state, { by: '<Redirect>', to: verb.to, parameters: {} });
    case 'Gather':
      return asks(
        { ...state, awaits: 'gathered' },
        { type: 'gather', prompts: verb.prompts, rules: verb.rules },
      );
    case 'Record':
      return asks({ ...state, awaits: 'recorded' }, { type: 'record', rules: verb.rules });
    case 'Refer':
      return asks({ ...state, awaits: 'referred' }, { type: 'refer', target: verb.target });
    case 'Dial':
      return dial(state, verb);
    default:
      return asks({ ...state, awaits: 'done' }, promptAction(verb, state.repeated));
  }
}

/**
 * Whether the call must be picked up before the verb. Only these leave it ringing: Redirect, Dial until the bridge
 * where it says so, and as a document's first verb Reject and Pause.
 */
function answersFirst(verb: Verb | undefined, position: number): boolean {
  if (verb?.verb === 'Redirect') return false;
  if (verb?.verb === 'Dial') return !verb.rules.answerOnBridge;
  return !(position === 0 && (verb?.verb === 'Reject' || verb?.verb === 'Pause'));
}

const ends = (state: DocumentState, action: Action): DocumentStep =>
  asks({ ...state, awaits: 'nothing' }, action);

const hangUp = (state: DocumentState, why: string): DocumentStep => ends(state, { type: 'hangup', why });

/** Asks for the next document, or only tells the app where the call is over. */
function ask(
  state: DocumentState,
  { by, to, parameters }: { by: string; to: Destination; parameters: Parameters },
): DocumentStep {
  if (!isFetchable(to.url)) {
    if (state.callOver) return ends(state, { type: 'over' });
    return ends(state, { type: 'fail', code: 11100, by, message: `${by} is no absolute http URL` });
  }
  const answer = state.callOver ? 'ignore' : 'run';
  const after: DocumentState = { ...state, awaits: state.callOver ? 'nothing' : 'document' };
  return asks(after, { type: 'fetch', by, ...to, parameters, answer });
}

/** The next verb; none where the call is over. */
const goOn = (state: DocumentState): DocumentStep =>
  state.callOver
    ? ends(state, { type: 'over' })
    : run({ ...state, position: state.position + 1, repeated: 0 });

/** Stays at the prompt until it was heard as often as its `loop` says. */
function afterPrompt(state: DocumentState): DocumentState {
  const repeated = state.repeated + 1;
  return repeated < timesHeard(state.verbs[state.position] as Prompt)
    ? { ...state, repeated }
    : { ...state, position: state.position + 1, repeated: 0 };
}

function gathered(state: DocumentState, { digits, finishKey }: Input & { type: 'gathered' }): DocumentStep {
  const { action, actionOnEmptyResult } = verbOf<'Gather'>(state);
  if (digits === '' && !actionOnEmptyResult) return goOn(state);
  const parameters = { Digits: digits, FinishedOnKey: finishKey, msg: 'Gather End' };
  return ask(state, { by: '<Gather action>', to: action, parameters });
}

function recorded(state: DocumentState, { recording, key }: Input & { type: 'recorded' }): DocumentStep {
  if (!recording) return goOn(state);
  const { url, sid, durationS } = recording;
  const digits = key ?? (state.callOver ? 'hangup' : '');
  const parameters = {
    RecordingUrl: url,
    RecordingSid: sid,
    RecordingDuration: String(durationS),
    Digits: digits,
  };
  return ask(state, { by: '<Record action>', to: verbOf<'Record'>(state).action, parameters });
}

/** A Dial with nobody to ring has failed before it began. */
function dial(state: DocumentState, { rules }: Dial): DocumentStep {
  if (rules.targets.length === 0) return dialed(state, { status: 'failed', bridged: false });
  return asks({ ...state, awaits: 'dialed' }, { type: 'dial', rules });
}

function dialed(state: DocumentState, outcome: DialOutcome): DocumentStep {
  const { action } = verbOf<'Dial'>(state);
  return action
    ? ask(state, { by: '<Dial action>', to: action, parameters: dialParameters(outcome) })
    : goOn(state);
}

function referred(state: DocumentState, outcome: ReferOutcome): DocumentStep {
  const { action } = verbOf<'Refer'>(state);
  if (!action) return goOn(state);
  return ask(state, { by: '<Refer action>', to: action, parameters: referParameters(outcome) });
}

/** Twilio: of ReferTransferTarget. */
const MAX_TRANSFER_TARGET = 256;

/** A party of a Dial sent REFER: the other one goes on with the document of `referUrl`, in place of the Dial. */
function transferred(state: DocumentState, { target, by }: Input & { type: 'transfer' }): DocumentStep {
  const verb = verbOf<'Dial'>(state);
  const { refer: to, rules } = verb;
  const isTooLong = to !== undefined && target.length > MAX_TRANSFER_TARGET;
  if (to && !state.callOver && !isTooLong) {
    const parameters = { ReferTransferTarget: target };
    const stays = rules.answerOnBridge;
    if (by === 'callee' && !stays) return ask(state, { by: '<Dial referUrl>', to, parameters });
    if (isFetchable(to.url)) return asks(state, { type: 'hand-over', by, stays, to, parameters });
  }
  const { line, column } = verb;
  const fault = isTooLong
    ? {
        code: 32218,
        message: `Refer-To has more than ${MAX_TRANSFER_TARGET} characters; the REFER is refused`,
      }
    : { code: 13802, message: '<Dial> has no referUrl; a REFER is refused' };
  return { state, action: { type: 'await' }, warnings: [{ ...fault, line, column }] };
}

const verbOf = <V extends Verb['verb']>(state: DocumentState): Verb & { verb: V } =>
  state.verbs[state.position] as Verb & { verb: V };
