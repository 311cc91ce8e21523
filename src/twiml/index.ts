// TwiML: text → elements (xml) → verbs with their rules (verbs) → one action at a time (interpreter). Pure.
export { begin, step, type TwimlAction, type TwimlState } from './interpreter.ts';
export { parseTwiml, type TwimlDocument, type TwimlWarning, type Verb } from './verbs.ts';
export { MAX_DOCUMENT_BYTES, TwimlError } from './xml.ts';
