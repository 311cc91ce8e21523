// TwiML: what a call is to do. Pure; a shell performs and tells what came of it.
//
//   text ──xml──▶ elements ──document──▶ verbs ──interpreter──▶ action ─┐
//                                                    ▲                  ▼
//                                                  input ◀── the shell performs it
//
//   answer → answered      say, play, play-digits, pause → done      refer → referred
//   gather → gathered (gather.ts, key by key)   record → recorded    dial → dialed, before it maybe transfer
//   fetch → parseDocument and beginDocument with the answer          call-ended may come at any time
//   fail, reject, bridge, hangup, over → the end
//
// A shell: `let step = beginDocument(parseDocument(text, url), { answered })`, then perform `step.action` and
// `step = advance(step.state, input)` until an action ends it. An input that comes late changes nothing.
export type {
  Action,
  DialOutcome,
  FetchAction,
  Input,
  Parameters,
  PromptAction,
  ReferOutcome,
} from './actions.ts';
export { parseDocument, type TwimlDocument } from './document.ts';
export { documentText } from './document-text.ts';
export type { TwimlWarning } from './element-reader.ts';
export {
  beginGather,
  type GatherAction,
  type GatherInput,
  type GatherState,
  type GatherStep,
  stepGather,
} from './gather.ts';
export { advance, beginDocument, type DocumentState, type DocumentStep } from './interpreter.ts';
export type { Role } from './runnable.ts';
export { plainDocument, soundDocument } from './spoken.ts';
export type {
  Callback,
  Destination,
  DialRecording,
  DialRules,
  DialTarget,
  GatherRules,
  NumberTarget,
  Prompt,
  RecordRules,
  SipAddress,
  SipHeader,
  SipTarget,
  Verb,
} from './verbs.ts';
export { MAX_DOCUMENT_BYTES, TwimlError } from './xml.ts';
