// Runs a document with given inputs and writes down what it asks for, a line each. The pages and the tests share it.
import {
  type Action,
  advance,
  beginDocument,
  type DialTarget,
  type DocumentStep,
  type Input,
  type Prompt,
  parseDocument,
  type SipHeader,
} from '../../src/twiml/index.ts';

export interface Stage {
  readonly url?: string | undefined;
  readonly answered?: boolean;
  readonly role?: 'call' | 'screening';
}

/** Inputs as they stand in a transcript, after `← `. */
const INPUTS: readonly (readonly [RegExp, (...words: string[]) => Input])[] = [
  [
    /^digits ([0-9*#]*)(?: then (.))?$/,
    (digits = '', finishKey = '') => ({ type: 'gathered', digits, finishKey }),
  ],
  [/^nothing$/, () => ({ type: 'gathered', digits: '', finishKey: '' })],
  [/^no recording$/, () => ({ type: 'recorded' })],
  [
    /^recorded (\d+) s(?: until (.))?$/,
    (seconds, key) => ({
      type: 'recorded',
      recording: { url: 'https://tandem.example/RE1', sid: 'RE1', durationS: Number(seconds) },
      ...(key && { key }),
    }),
  ],
  [
    /^bridged (\d+) s$/,
    (seconds) => ({
      type: 'dialed',
      outcome: { status: 'completed', callSid: 'CA2', durationS: Number(seconds), bridged: true },
    }),
  ],
  [
    /^(busy|no-answer|failed|canceled)$/,
    (status) => ({
      type: 'dialed',
      outcome: { status: status as 'busy', callSid: 'CA2', bridged: false },
    }),
  ],
  [/^REFER to (.+)$/, (target = '') => ({ type: 'transfer', target, by: 'callee' })],
  [
    /^referred (\S+) (\d+)(?: (\d+))?$/,
    (status, code, notified) => ({
      type: 'referred',
      outcome: {
        status: status as 'busy',
        responseCode: Number(code),
        ...(notified && { notifyCode: Number(notified) }),
      },
    }),
  ],
  [/^the caller hangs up$/, () => ({ type: 'call-ended' })],
];

/** @throws {Error} where no input is written like that. */
function inputOf(line: string): Input {
  for (const [pattern, make] of INPUTS) {
    const found = pattern.exec(line);
    if (found) return make(...found.slice(1));
  }
  throw new Error(`no input is written like "${line}"`);
}

/**
 * The transcript of `source`: `! ` warnings, actions, and the `inputs` where they were fed. `answered` and `done` are
 * fed by themselves and not written. Ends with the document, or where it waits for an input that is not there.
 */
export function transcript(source: string, inputs: readonly string[], stage: Stage = {}): string[] {
  const document = parseDocument(source, stage.url);
  const lines = document.warnings.map(({ code, message }) => `! ${code} ${message}`);
  const write = (step: DocumentStep): void => {
    lines.push(...step.warnings.map(({ code, message }) => `! ${code} ${message}`));
    if (step.action.type !== 'await') lines.push(...lineOf(step.action));
  };
  let step = beginDocument(document, { answered: stage.answered ?? true, role: stage.role ?? 'call' });
  write(step);
  const left = [...inputs];
  while (lines.length < 5000) {
    const input = automatic(step) ?? left.shift();
    if (input === undefined) return lines;
    if (typeof input === 'string') lines.push(`← ${input}`);
    step = advance(step.state, typeof input === 'string' ? inputOf(input) : input);
    write(step);
  }
  return lines;
}

function automatic({ state }: DocumentStep): Input | undefined {
  if (state.awaits === 'answered' || state.awaits === 'done') return { type: state.awaits };
  return undefined;
}

const headerLine = ({ name, value }: SipHeader): string => `${name}: ${value}`;

function lineOf(action: Action): string[] {
  switch (action.type) {
    case 'say':
      return [`say "${action.text}"${voiceOf(action)}`];
    case 'play':
      return [`play ${action.url}`];
    case 'play-digits':
      return [`play the digits ${action.digits}`];
    case 'pause':
      return [`pause ${action.durationMs / 1000} s`];
    case 'gather': {
      const { numDigits, finishOnKey, timeoutMs, dtmf } = action.rules;
      const until = [numDigits && `${numDigits} digits`, finishOnKey, `${timeoutMs / 1000} s of silence`];
      return [
        `gather ${dtmf ? '' : 'no keys '}until ${until.filter(Boolean).join(' or ')}`,
        ...action.prompts.map(promptOf),
      ];
    }
    case 'record': {
      const { timeoutMs, finishOnKey, maxLengthMs, playBeep, trimSilence, callback } = action.rules;
      const until = [finishOnKey, timeoutMs && `${timeoutMs / 1000} s of silence`, `${maxLengthMs / 1000} s`];
      return [
        `record until ${until.filter(Boolean).join(' or ')}${playBeep ? '' : ', no beep'}${trimSilence ? '' : ', untrimmed'}`,
        ...(callback ? [`  tell ${callback.method} ${callback.url} ${callback.events.join(' ')}`] : []),
      ];
    }
    case 'dial': {
      const { targets, record, ...rules } = action.rules;
      const recording =
        record && `record ${Object.values({ ...record, callback: record.callback?.url }).join(' ')}`;
      const words = [
        `dial for ${rules.timeoutMs / 1000} s, talk for ${rules.timeLimitMs / 1000} s`,
        rules.sequential && 'one after the other',
        rules.callerId && `as ${rules.callerId}`,
        rules.hangupOnStar && '* hangs up',
        rules.answerOnBridge && 'answer on bridge',
        rules.ringTone && `ring as in ${rules.ringTone}`,
        recording,
      ];
      return [words.filter(Boolean).join(', '), ...targets.map(targetOf)];
    }
    case 'refer':
      return [`refer to ${[action.target.uri, ...action.target.headers.map(headerLine)].join(', ')}`];
    case 'fetch': {
      const parameters = Object.entries(action.parameters).map(([name, value]) => ` ${name}=${value}`);
      const ignored = action.answer === 'ignore' ? ' (the answer is ignored)' : '';
      return [`${action.method} ${action.url}${parameters.join('')}${ignored}`];
    }
    case 'fail':
      return [`fail ${action.code} ${action.message}`];
    case 'reject':
      return [`reject ${action.reason}`];
    case 'hangup':
      return [`hang up: ${action.why}`];
    default:
      return [action.type];
  }
}

const voiceOf = ({ voice, language }: { voice: string; language: string }): string =>
  voice === 'man' && language === 'en-US' ? '' : ` ${voice} ${language}`;

function promptOf(prompt: Prompt): string {
  const times = prompt.verb !== 'Pause' && prompt.loop > 1 ? ` ${prompt.loop} times` : '';
  switch (prompt.verb) {
    case 'Say':
      return `  say "${prompt.text}"${voiceOf(prompt)}${times}`;
    case 'Play':
      return `  play ${prompt.url}${times}`;
    case 'PlayDigits':
      return `  play the digits ${prompt.digits}${times}`;
    case 'Pause':
      return `  pause ${prompt.durationMs / 1000} s`;
  }
}

function targetOf(target: DialTarget): string {
  const { screening, callback } = target;
  const words =
    target.noun === 'Number'
      ? [
          target.number,
          target.byoc && `over ${target.byoc}`,
          target.sendDigits && `then ${target.sendDigits}`,
        ]
      : [
          target.address.uri,
          target.address.secure && 'with SRTP',
          ...target.address.headers.map(headerLine),
          target.credentials && `as ${target.credentials.username}`,
        ];
  return `  ${[
    ...words,
    screening && `screened by ${screening.method} ${screening.url}`,
    callback && `tell ${callback.method} ${callback.url} ${callback.events.join(' ')}`,
  ]
    .filter(Boolean)
    .join(', ')}`;
}
