// Parsing one INVITE with SDP and reading what a B2BUA reads of it, beside npm `sip` doing the same.
import { readFileSync } from 'node:fs';
import sip from 'sip/sip.js';
import { parseMessage } from '../src/sip/index.ts';

export interface Result {
  readonly name: string;
  /** Messages per CPU-second, median of the rounds. */
  readonly tandemPerCpuSecond: number;
  readonly npmSipPerCpuSecond: number;
  readonly tandemMicroseconds: number;
  readonly npmSipMicroseconds: number;
  readonly ratio: number;
  readonly rounds: number;
}

const ROUNDS = 5;
const MESSAGES = 100_000;
const VARIANTS = 64;

/** Distinct datagrams, as a socket gives them; the same bytes again would flatter caches. */
function datagrams(): readonly Buffer[] {
  const sample = readFileSync(new URL('./sample/invite.sip', import.meta.url), 'latin1');
  return Array.from({ length: VARIANTS }, (_, i) =>
    Buffer.from(sample.replaceAll('as58f4201b', `as58f42${String(i).padStart(3, '0')}`), 'latin1'),
  );
}

function readWithTandem(datagram: Buffer): number {
  const message = parseMessage(datagram.toString('latin1'));
  const read =
    message.method.length +
    message.uri.length +
    message.via.branch.length +
    message.callId.length +
    message.fromTag.length +
    message.toTag.length +
    message.seq +
    message.seqMethod.length;
  return read + (message.header('Contact')?.length ?? 0) + message.body.length;
}

function readWithNpmSip(datagram: Buffer): number {
  const message = sip.parse(datagram);
  if (!message) throw new Error('npm sip does not parse the sample');
  const { via, from, to, contact, cseq } = message.headers;
  const read =
    message.method.length +
    message.uri.length +
    (via[0]?.params['branch'] ?? '').length +
    message.headers['call-id'].length +
    (from.params['tag'] ?? '').length +
    (to.params['tag'] ?? '').length +
    cseq.seq +
    cseq.method.length;
  return read + (contact[0]?.uri.length ?? 0) + message.content.length;
}

/** CPU microseconds per message. */
function time(read: (datagram: Buffer) => number, samples: readonly Buffer[]): number {
  const before = process.cpuUsage();
  let sum = 0;
  for (let i = 0; i < MESSAGES; i++) sum += read(samples[i % samples.length] as Buffer);
  const used = process.cpuUsage(before);
  if (sum === 0) throw new Error('nothing was read');
  return (used.user + used.system) / MESSAGES;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

export async function measure(): Promise<Result> {
  const samples = datagrams();
  const tandem: number[] = [];
  const npmSip: number[] = [];
  // The first round warms both up and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    tandem[round] = time(readWithTandem, samples);
    npmSip[round] = time(readWithNpmSip, samples);
  }
  const ours = median(tandem.slice(1));
  const theirs = median(npmSip.slice(1));
  return {
    name: 'parse',
    tandemPerCpuSecond: Math.round(1e6 / ours),
    npmSipPerCpuSecond: Math.round(1e6 / theirs),
    tandemMicroseconds: Number(ours.toFixed(2)),
    npmSipMicroseconds: Number(theirs.toFixed(2)),
    ratio: Number((theirs / ours).toFixed(1)),
    rounds: ROUNDS,
  };
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await measure())}\n`);
