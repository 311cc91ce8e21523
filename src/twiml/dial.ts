// Dial and Refer: whom the caller is connected to.
import { readTrim } from './collect.ts';
import type { ElementReader } from './element-reader.ts';
import { DIGITS } from './prompts.ts';
import { REFER_TO, readSipAddress } from './sip-address.ts';
import type {
  Dial,
  DialRecording,
  DialRules,
  DialTarget,
  NumberTarget,
  Place,
  Refer,
  SipTarget,
} from './verbs.ts';

const MAX_TARGETS = 10;
const MAX_CALLER_ID_CHARACTERS = 255;
/** As in the API's `From`. */
const CALLER_NUMBER = /^\+?\d{1,15}$/;
/** What people put between digits for the eye. */
const SEPARATORS = /[\s().-]/g;
/** Twilio's nouns that this version has no code for. */
const NOUNS_TO_COME = new Set('Application Client Conference Queue Sim WhatsApp'.split(' '));
const EVENTS = ['initiated', 'ringing', 'answered', 'completed'] as const;
const RECORDING_EVENTS = ['in-progress', 'completed', 'absent'] as const;
const RING_TONES =
  'at au bg br be ch cl cn cz de dk ee es fi fr gr hu il in it lt jp mx my nl no nz ph pl pt ru se sg th uk us us-old tw ve za'.split(
    ' ',
  );
const RECORD = [
  'do-not-record',
  'false',
  'true',
  'record-from-answer',
  'record-from-ringing',
  'record-from-answer-dual',
  'record-from-ringing-dual',
] as const;
const DETECTION = [
  'machineDetection',
  'machineDetectionTimeout',
  'machineDetectionSpeechThreshold',
  'machineDetectionSpeechEndThreshold',
  'machineDetectionSilenceTimeout',
  'amdStatusCallback',
  'amdStatusCallbackMethod',
] as const;

export function readDial(reader: ElementReader): Dial & Place {
  const dial: Dial & Place = {
    verb: 'Dial',
    action: reader.destination('action', 'method', 13210),
    refer: reader.destination('referUrl', 'referMethod', 13210),
    rules: {
      sequential: reader.flag('sequential', { fallback: false, code: 13218 }),
      timeoutMs: reader.whole('timeout', { min: 5, max: 600, fallback: 30, code: 13212 }) * 1000,
      timeLimitMs: reader.whole('timeLimit', { min: 1, max: 86_400, fallback: 14_400, code: 13216 }) * 1000,
      ...readCallerId(reader),
      hangupOnStar: reader.flag('hangupOnStar', { fallback: false, code: 13213 }),
      answerOnBridge: reader.flag('answerOnBridge', { fallback: false, code: 13219 }),
      ringTone: reader.oneOf('ringTone', RING_TONES, { fallback: undefined, code: 13220 }),
      record: readRecording(reader),
      targets: readTargets(reader),
    },
    ...reader.place,
  };
  reader.accept('callReason', 'events', 'passports', 'recordingConfigurationId');
  reader.end('text', 'elements');
  return dial;
}

type CallerId = Pick<DialRules, 'callerId' | 'callerNumber'>;

/** A number, `client:name`, or what a SIP peer may be shown; to a phone number, which is shown numbers alone, the first. */
function readCallerId(reader: ElementReader): CallerId {
  const nobody: CallerId = { callerId: undefined, callerNumber: undefined };
  const text = reader.text('callerId');
  if (!text) return nobody;
  if (text.length > MAX_CALLER_ID_CHARACTERS) {
    reader.warnOf('callerId', 13248, 'is too long; it is left out');
    return nobody;
  }
  const number = text.startsWith('+') ? text.replaceAll(SEPARATORS, '') : text;
  if (CALLER_NUMBER.test(number)) return { callerId: number, callerNumber: number };
  if (!/^(client:)?[\w+.-]+$/.test(text)) {
    reader.warnOf('callerId', 13214, 'is no number and no name; it is left out');
    return nobody;
  }
  const { children } = reader.element;
  if (children.length === 0 || children.some(({ name }) => name === 'Number'))
    reader.warnOf('callerId', 13214, 'is no number, and phone numbers are not shown it');
  return { callerId: text, callerNumber: undefined };
}

function readRecording(reader: ElementReader): DialRecording | undefined {
  const record = reader.oneOf('record', RECORD, { fallback: 'do-not-record', code: 13217 });
  const recording: DialRecording = {
    from: record.startsWith('record-from-ringing') ? 'ringing' : 'answer',
    channels: record.endsWith('-dual') ? 2 : 1,
    track: reader.oneOf('recordingTrack', ['both', 'inbound', 'outbound'], { fallback: 'both', code: 13622 }),
    trimSilence: readTrim(reader, 'do-not-trim', 12200),
    callback: reader.callback('recordingStatusCallback', RECORDING_EVENTS, 13256),
  };
  return record === 'do-not-record' || record === 'false' ? undefined : recording;
}

/** The nouns in order; a plain number counts as one where there are none. */
function readTargets(dial: ElementReader): readonly DialTarget[] {
  const { children, ownText } = dial.element;
  warnOfCompany(dial);
  if (children.length === 0) {
    const target = readNumber(dial);
    return target ? [target] : [];
  }
  if (ownText.trim()) dial.warn(12200, '<Dial> has nouns and text; the text is ignored');
  const targets = children
    .map((child) => readTarget(dial.inside(child)))
    .filter((target) => target !== undefined);
  if (targets.length > MAX_TARGETS) {
    dial.warn(13250, `<Dial> rings at most ${MAX_TARGETS}; the others are left out`);
  }
  return targets.slice(0, MAX_TARGETS);
}

/** Conference and Queue stand alone in a Dial. */
function warnOfCompany(dial: ElementReader): void {
  const lonely = dial.element.children.find(({ name }) => name === 'Conference' || name === 'Queue');
  if (lonely && dial.element.children.length > 1) {
    dial.inside(lonely).warn(13000, `<${lonely.name}> must be alone in <Dial>`);
  }
}

function readTarget(reader: ElementReader): DialTarget | undefined {
  if (reader.name === 'Number') return readNumberNoun(reader);
  if (reader.name === 'Sip') return readSipNoun(reader);
  if (NOUNS_TO_COME.has(reader.name)) {
    reader.warn(12200, `<Dial><${reader.name}> is not supported yet; it is skipped`);
  } else {
    reader.warn(13215, `<${reader.name}> may not stand in <Dial>; it is skipped`);
  }
  return undefined;
}

function readNumberNoun(reader: ElementReader): NumberTarget | undefined {
  const sendDigits = reader.text('sendDigits') ?? '';
  const playable = sendDigits === '' || DIGITS.test(sendDigits);
  if (!playable) reader.warnOf('sendDigits', 13222, 'knows 0-9, *, #, A-D, w and W; none are sent');
  const rest = {
    sendDigits: playable ? sendDigits : '',
    byoc: reader.text('byoc') || undefined,
    screening: reader.destination('url', 'method', 13221),
    callback: reader.callback('statusCallback', EVENTS, 13221),
  };
  reader.notYet(...DETECTION);
  reader.end('text');
  const target = readNumber(reader);
  return target && { ...target, ...rest };
}

/** The number in an element's text, without what people put in for the eye. */
function readNumber(reader: ElementReader): NumberTarget | undefined {
  const number = reader.element.ownText.replaceAll(SEPARATORS, '');
  if (/^\+?[0-9*#]{1,32}$/.test(number)) {
    return {
      noun: 'Number',
      number,
      sendDigits: '',
      byoc: undefined,
      screening: undefined,
      callback: undefined,
    };
  }
  reader.warn(13223, `<${reader.name}> holds no phone number; nobody is called`);
  return undefined;
}

function readSipNoun(reader: ElementReader): SipTarget | undefined {
  const target = {
    credentials: readCredentials(reader),
    screening: reader.destination('url', 'method', 13241),
    callback: reader.callback('statusCallback', EVENTS, 13241),
  };
  reader.notYet(...DETECTION);
  reader.end('text');
  const address = readSipAddress(reader);
  return address && { noun: 'Sip', address, ...target };
}

function readCredentials(reader: ElementReader): SipTarget['credentials'] {
  const username = reader.text('username');
  const password = reader.text('password');
  if (username && password !== undefined) return { username, password };
  if (username || password) reader.warn(13249, '<Sip> needs both username and password; neither is used');
  return undefined;
}

export function readRefer(reader: ElementReader): (Refer & Place) | undefined {
  const action = reader.destination('action', 'method', 12200);
  reader.end('elements');
  const [child, ...others] = reader.element.children;
  if (child?.name !== 'Sip' || others.length > 0) {
    reader.warn(12200, '<Refer> holds one <Sip>; it is skipped');
    return undefined;
  }
  const sip = reader.inside(child);
  sip.end('text');
  const target = readSipAddress(sip, REFER_TO);
  return target && { verb: 'Refer', action, target, ...reader.place };
}
