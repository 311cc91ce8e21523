// Gather and Record: what is taken from the caller.
import type { ElementReader } from './element-reader.ts';
import { readPrompts } from './prompts.ts';
import type { Gather, Place, Record } from './verbs.ts';

const KEYS = '0123456789*#';
/** No call lasts longer. */
const MAX_CALL_S = 86_400;
const SPEECH = [
  'speechTimeout',
  'maxSpeechTime',
  'hints',
  'language',
  'partialResultCallback',
  'partialResultCallbackMethod',
  'profanityFilter',
  'speechModel',
  'enhanced',
  'bargeIn',
] as const;

export function readGather(reader: ElementReader): Gather & Place {
  const gather: Gather & Place = {
    verb: 'Gather',
    action: reader.destinationOrHere('action', 'method', 13312),
    actionOnEmptyResult: reader.flag('actionOnEmptyResult', { fallback: false, code: 13338 }),
    rules: {
      dtmf: readInput(reader),
      timeoutMs: reader.whole('timeout', { min: 1, max: MAX_CALL_S, fallback: 5, code: 13313 }) * 1000,
      finishOnKey: readFinishKey(reader),
      numDigits: reader.whole('numDigits', { min: 1, max: 1000, fallback: undefined, code: 13314 }),
    },
    prompts: readPrompts(reader),
    ...reader.place,
  };
  reader.notYet(...SPEECH);
  reader.accept('debug');
  reader.end('elements');
  return gather;
}

/** Whether keys count. */
function readInput(reader: ElementReader): boolean {
  const words = reader.text('input')?.split(/\s+/) ?? ['dtmf'];
  if (words.some((word) => word !== 'dtmf' && word !== 'speech')) {
    reader.warnOf('input', 13326, 'is neither dtmf, speech nor both; dtmf is taken');
    return true;
  }
  if (words.includes('speech'))
    reader.warnOf('input', 12200, 'speech is not supported yet; only keys are heard');
  return words.includes('dtmf');
}

function readFinishKey(reader: ElementReader): string {
  const key = reader.text('finishOnKey') ?? '#';
  if (key === '' || (key.length === 1 && KEYS.includes(key))) return key;
  reader.warnOf('finishOnKey', 13310, 'is not one key of 0-9, * and #, nor empty; # is taken');
  return '#';
}

const RECORDING_EVENTS = ['in-progress', 'completed', 'absent'] as const;

export function readRecord(reader: ElementReader): Record & Place {
  const timeoutS = reader.whole('timeout', { min: 0, max: MAX_CALL_S, fallback: 5, code: 13611 });
  const record: Record & Place = {
    verb: 'Record',
    action: reader.destinationOrHere('action', 'method', 13610),
    rules: {
      timeoutMs: timeoutS === 0 ? undefined : timeoutS * 1000,
      finishOnKey: readFinishKeys(reader),
      maxLengthMs: reader.whole('maxLength', { min: 1, max: MAX_CALL_S, fallback: 3600, code: 13612 }) * 1000,
      playBeep: reader.flag('playBeep', { fallback: true, code: 13616 }),
      trimSilence: readTrim(reader, 'trim-silence', 13699),
      callback: reader.callback('recordingStatusCallback', RECORDING_EVENTS, 13621),
    },
    ...reader.place,
  };
  readTranscription(reader);
  reader.accept('recordingConfigurationId');
  reader.end();
  return record;
}

function readFinishKeys(reader: ElementReader): string {
  const keys = reader.text('finishOnKey') ?? '1234567890*#';
  if ([...keys].every((key) => KEYS.includes(key))) return keys;
  reader.warnOf('finishOnKey', 13613, 'holds other keys than 0-9, * and #; every key is taken');
  return '1234567890*#';
}

function readTranscription(reader: ElementReader): void {
  const wanted = reader.flag('transcribe', { fallback: false, code: 13614 });
  if (wanted) reader.notYet('transcribe', 'transcribeCallback');
  reader.accept('transcribeCallback');
}

export function readTrim(
  reader: ElementReader,
  fallback: 'trim-silence' | 'do-not-trim',
  code: number,
): boolean {
  return reader.oneOf('trim', ['trim-silence', 'do-not-trim'], { fallback, code }) === 'trim-silence';
}
