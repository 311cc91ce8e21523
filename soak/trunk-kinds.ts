// What each kind of call in a soak over Elastic trunks does, and what should come of it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PartyCall, TrunkParty } from './trunk-party.ts';
import { callIn, callOut, ENDINGS, HOLD_MS, MORTAL_NUMBER, PREFIXES, type Site } from './trunk-traffic.ts';

export interface Outcome {
  /** What went wrong. */
  readonly fault?: string;
  /** Records that it leaves beside those of its kind. */
  readonly records?: readonly string[];
}

export interface Kind {
  readonly name: string;
  /** How often, beside the others. */
  readonly weight: number;
  /** Direction and status of each record that it leaves. */
  readonly records: readonly string[];
  run(party: TrunkParty, site: Site): Promise<Outcome>;
}

/** Longer than disaster recovery takes. */
const LONG_HOLD_MS = 8000;

const expected = (what: string, is: string, was: string): Outcome =>
  is === was ? {} : { fault: `${what}: ${is}, not ${was}` };

/** It was to be answered. */
const refused = (status: string, { error }: PartyCall): Outcome => ({
  fault: `refused: ${status} ${error}`.trimEnd(),
});

async function talk(call: PartyCall): Promise<Outcome> {
  const status = await call.final;
  if (status !== '200') return refused(status, call);
  await sleep(HOLD_MS);
  call.hangUp();
  return expected('ended by', await call.ended, 'local');
}

/** @returns the record of a call that the PBX took, or of one that disaster recovery took in its place */
async function talkOrListen(call: PartyCall): Promise<Outcome> {
  const status = await call.final;
  if (status !== '200') return refused(status, call);
  await Promise.race([call.ended, sleep(LONG_HOLD_MS)]);
  call.hangUp();
  return { records: [(await call.ended) === 'local' ? `${IN} completed` : RESCUED] };
}

async function listen(call: PartyCall): Promise<Outcome> {
  const status = await call.final;
  return status === '200' ? expected('ended by', await call.ended, 'remote') : refused(status, call);
}

const hearRefusal = async (call: PartyCall, status: string): Promise<Outcome> =>
  expected('refused', await call.final, status);

async function giveUp(call: PartyCall): Promise<Outcome> {
  await call.rings;
  call.cancel();
  return expected('canceled', await call.final, '487');
}

async function transfer(call: PartyCall, to: string): Promise<Outcome> {
  const status = await call.final;
  if (status !== '200') return refused(status, call);
  const news = await call.transfer(to);
  call.hangUp();
  await call.ended;
  return expected('transfer', news, '200');
}

const OUT = 'trunking-terminating';
const IN = 'trunking-originating';
const RESCUED = 'inbound completed';
const out = (party: TrunkParty, ending: string, prefix = PREFIXES.routed): PartyCall =>
  callOut(party, `${prefix}0${ending}`);

export const KINDS: readonly Kind[] = [
  {
    name: 'out',
    weight: 20,
    records: [`${OUT} completed`],
    run: (party) => talk(out(party, ENDINGS.answers)),
  },
  {
    name: 'out, the callee hangs up',
    weight: 10,
    records: [`${OUT} completed`],
    run: (party) => listen(out(party, ENDINGS.hangsUp)),
  },
  {
    name: 'out, past a carrier that is down',
    weight: 10,
    records: [`${OUT} completed`],
    run: (party) => talk(out(party, ENDINGS.answers, PREFIXES.failsOver)),
  },
  {
    name: 'out, past a carrier that may have died',
    weight: 10,
    records: [`${OUT} completed`],
    run: (party) => talk(out(party, ENDINGS.answers, PREFIXES.mayFailOver)),
  },
  {
    name: 'out, busy',
    weight: 5,
    records: [`${OUT} busy`],
    run: (party) => hearRefusal(out(party, ENDINGS.busy), '486'),
  },
  {
    name: 'out, given up',
    weight: 5,
    records: [`${OUT} no-answer`],
    run: (party) => giveUp(out(party, ENDINGS.rings)),
  },
  {
    name: 'out, without a route',
    weight: 2,
    records: [`${OUT} failed`],
    run: (party) => hearRefusal(out(party, ENDINGS.answers, PREFIXES.unrouted), '503'),
  },
  {
    name: 'out, transferred',
    weight: 5,
    records: [`${OUT} completed`, `${IN} completed`],
    run: (party, { carrier }) =>
      transfer(
        out(party, ENDINGS.answers),
        carrier.uri.replace('sip:', `sip:${PREFIXES.routed}0${ENDINGS.hangsUp}@`),
      ),
  },
  {
    name: 'in',
    weight: 20,
    records: [`${IN} completed`],
    run: (party) => talk(callIn(party, ENDINGS.answers)),
  },
  {
    name: 'in, the PBX hangs up',
    weight: 10,
    records: [`${IN} completed`],
    run: (party) => listen(callIn(party, ENDINGS.hangsUp)),
  },
  {
    name: 'in, busy',
    weight: 5,
    records: [`${IN} busy`],
    run: (party) => hearRefusal(callIn(party, ENDINGS.busy), '486'),
  },
  {
    name: 'in, given up',
    weight: 5,
    records: [`${IN} no-answer`],
    run: (party) => giveUp(callIn(party, ENDINGS.rings)),
  },
  {
    name: 'in, rescued',
    weight: 3,
    records: [RESCUED],
    run: (party) => listen(callIn(party, ENDINGS.isDown)),
  },
  {
    name: 'in, to a PBX that may have died',
    weight: 5,
    records: [],
    run: (party) => talkOrListen(callIn(party, MORTAL_NUMBER)),
  },
];
