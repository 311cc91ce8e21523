// One INVITE with SDP: parsed and read as the B2BUA reads it, and answered with a 180, beside npm `sip` and `sip.js`.
import { readFileSync } from 'node:fs';
import sip from 'sip/sip.js';
import { constructOutgoingResponse } from 'sip.js/lib/core/messages/outgoing-response.js';
import { Parser } from 'sip.js/lib/core/messages/parser.js';
import { parseMessage, serializeResponse } from '../src/sip/index.ts';
import { median } from './cpu-time.ts';

export interface Result {
  readonly name: string;
  /** CPU microseconds per message, median of the rounds: from datagram to what was read of it. */
  readonly tandemMicroseconds: number;
  readonly npmSipMicroseconds: number;
  readonly sipJsMicroseconds: number;
  /** How many times as long the others take. */
  readonly ratio: number;
  readonly sipJsRatio: number;
  /** The same, and a 180 to it as octets. */
  readonly tandemAnswerMicroseconds: number;
  readonly npmSipAnswerMicroseconds: number;
  readonly sipJsAnswerMicroseconds: number;
  readonly answerRatio: number;
  readonly sipJsAnswerRatio: number;
  readonly rounds: number;
}

const ROUNDS = 5;
const MESSAGES = 100_000;
/** A thousandth as fast. */
const SIP_JS_MESSAGES = 300;
const VARIANTS = 64;
const SOURCE = { address: '198.51.100.7', port: 5060 };
const CONTACT = '<sip:192.0.2.1:5060>';
const TAG = '0a1b2c3d';

/** What is read of a message, told as a length so that nothing is left out. */
type Work = (datagram: Buffer) => number;

/** Distinct datagrams, as a socket gives them; the same bytes again would flatter caches. */
function datagrams(): readonly Buffer[] {
  const sample = readFileSync(new URL('./sample/invite.sip', import.meta.url), 'latin1');
  return Array.from({ length: VARIANTS }, (_, i) =>
    Buffer.from(sample.replaceAll('as58f4201b', `as58f42${String(i).padStart(3, '0')}`), 'latin1'),
  );
}

type TandemMessage = ReturnType<typeof parseMessage>;

const lengthOf = (values: readonly string[]): number => values.reduce((sum, { length }) => sum + length, 0);

function readTandem(message: TandemMessage): number {
  const { method, uri, via, callId, fromTag, toTag, seq, seqMethod, body } = message;
  const contact = message.header('Contact') ?? '';
  return seq + lengthOf([method, uri, via.branch, callId, fromTag, toTag, seqMethod, contact, body]);
}

const tandem: readonly Work[] = [
  (datagram) => readTandem(parseMessage(datagram.toString('latin1'))),
  (datagram) => {
    const message = parseMessage(datagram.toString('latin1'));
    const read = readTandem(message);
    const headers = [['Contact', CONTACT]] as const;
    const parts = { status: 180, reason: 'Ringing', toTag: TAG, copyRecordRoute: true, headers };
    return read + serializeResponse(message, SOURCE, parts).length;
  },
];

function parseNpmSip(datagram: Buffer): sip.Message {
  const message = sip.parse(datagram);
  if (!message) throw new Error('npm sip does not parse the sample');
  return message;
}

function readNpmSip(message: sip.Message): number {
  const { method, uri, content, headers } = message;
  const { via, from, to, contact, cseq } = headers;
  const branch = via[0]?.params['branch'] ?? '';
  const tags = [from.params['tag'] ?? '', to.params['tag'] ?? ''];
  const place = contact[0]?.uri ?? '';
  return cseq.seq + lengthOf([method, uri, branch, headers['call-id'], ...tags, cseq.method, place, content]);
}

const npmSip: readonly Work[] = [
  (datagram) => readNpmSip(parseNpmSip(datagram)),
  (datagram) => {
    const message = parseNpmSip(datagram);
    const read = readNpmSip(message);
    const response = sip.makeResponse(message, 180, 'Ringing');
    response.headers.to.params['tag'] = TAG;
    response.headers['record-route'] = message.headers['record-route'];
    return read + sip.stringify({ ...response, headers: { ...response.headers, contact: CONTACT } }).length;
  },
];

type SipJsRequest = Parameters<typeof constructOutgoingResponse>[0];
const quiet = { warn() {}, error() {} } as unknown as Parameters<typeof Parser.parseMessage>[1];

function parseSipJs(datagram: Buffer): SipJsRequest {
  const message = Parser.parseMessage(datagram.toString('latin1'), quiet);
  if (!message) throw new Error('sip.js does not parse the sample');
  return message as SipJsRequest;
}

function readSipJs(message: SipJsRequest): number {
  const { method, ruri, viaBranch, callId, fromTag, toTag = '', cseq, body } = message;
  const { method: seqMethod } = message.parseHeader('CSeq');
  const contact = message.getHeader('Contact') ?? '';
  const uri = ruri?.toString() ?? '';
  return cseq + lengthOf([method, uri, viaBranch, callId, fromTag, toTag, seqMethod, contact, body]);
}

const sipJs: readonly Work[] = [
  (datagram) => readSipJs(parseSipJs(datagram)),
  (datagram) => {
    const message = parseSipJs(datagram);
    const read = readSipJs(message);
    const recorded = message.getHeaders('Record-Route').map((route) => `Record-Route: ${route}`);
    const extraHeaders = [...recorded, `Contact: ${CONTACT}`];
    const options = { statusCode: 180, reasonPhrase: 'Ringing', toTag: TAG, extraHeaders };
    return read + constructOutgoingResponse(message, options).message.length;
  },
];

/** CPU microseconds per message. */
function time(work: Work, samples: readonly Buffer[]): number {
  const count = sipJs.includes(work) ? SIP_JS_MESSAGES : MESSAGES;
  const before = process.cpuUsage();
  let sum = 0;
  for (let i = 0; i < count; i++) sum += work(samples[i % samples.length] as Buffer);
  const used = process.cpuUsage(before);
  if (sum === 0) throw new Error('nothing was read');
  return (used.user + used.system) / count;
}

export async function measure(): Promise<Result> {
  const samples = datagrams();
  const works = [...tandem, ...npmSip, ...sipJs];
  const times: number[][] = works.map(() => []);
  // The first round warms all of them up and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    works.forEach((work, which) => times[which]?.push(time(work, samples)));
  }
  const [ours = 0, oursAnswer = 0, theirs = 0, theirsAnswer = 0, js = 0, jsAnswer = 0] = times.map((each) =>
    median(each.slice(1)),
  );
  const micros = (figure: number): number => Number(figure.toFixed(2));
  const ratio = (figure: number): number => Number(figure.toFixed(1));
  return {
    name: 'parse',
    tandemMicroseconds: micros(ours),
    npmSipMicroseconds: micros(theirs),
    sipJsMicroseconds: micros(js),
    ratio: ratio(theirs / ours),
    sipJsRatio: ratio(js / ours),
    tandemAnswerMicroseconds: micros(oursAnswer),
    npmSipAnswerMicroseconds: micros(theirsAnswer),
    sipJsAnswerMicroseconds: micros(jsAnswer),
    answerRatio: ratio(theirsAnswer / oursAnswer),
    sipJsAnswerRatio: ratio(jsAnswer / oursAnswer),
    rounds: ROUNDS,
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
