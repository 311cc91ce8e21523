// Ringing tones by country: ITU-T E.180 Supplement 2, under Twilio's `ringTone` names.
import { SAMPLES_PER_SECOND } from './tone.ts';

export interface Ringing {
  readonly frequenciesHz: readonly number[];
  /** Milliseconds of sound and of silence by turns; it repeats. */
  readonly cadenceMs: readonly number[];
}

const ringing = (frequenciesHz: readonly number[], ...cadenceMs: readonly number[]): Ringing => ({
  frequenciesHz,
  cadenceMs,
});

const EUROPEAN = ringing([425], 1000, 4000);
const DOUBLE = [400, 200, 400, 2000];

/** A carrier modulated by a low tone is given as its two side bands. */
const COUNTRIES: Record<string, Ringing> = {
  at: ringing([420], 1000, 5000),
  au: ringing([413, 438], ...DOUBLE),
  be: ringing([425], 1000, 3000),
  cl: ringing([400], 1000, 3000),
  cn: ringing([450], 1000, 4000),
  es: ringing([425], 1500, 3000),
  fr: ringing([440], 1500, 3500),
  hu: ringing([425], 1250, 3750),
  il: ringing([400], 1000, 3000),
  in: ringing([375, 425], ...DOUBLE),
  jp: ringing([385, 415], 1000, 2000),
  my: ringing([425], ...DOUBLE),
  nz: ringing([400, 450], ...DOUBLE),
  ph: ringing([425, 480], 1000, 4000),
  pt: ringing([425], 1000, 5000),
  se: ringing([425], 1000, 5000),
  sg: ringing([401, 449], ...DOUBLE),
  tw: ringing([440, 480], 1000, 2000),
  uk: ringing([400, 450], ...DOUBLE),
  us: ringing([440, 480], 2000, 4000),
  'us-old': ringing([380, 460], 2000, 4000),
  za: ringing([367, 433], ...DOUBLE),
};
for (const country of 'bg br ch cz de dk ee fi gr it lt mx nl no pl ru th ve'.split(' '))
  COUNTRIES[country] = EUROPEAN;
COUNTRIES.gb = COUNTRIES.uk as Ringing;

/** `us` where the country is none of ours. */
export const ringingOf = (country = 'us'): Ringing =>
  (Object.hasOwn(COUNTRIES, country) ? COUNTRIES[country] : COUNTRIES.us) as Ringing;

/** Whether it sounds at this sample since its start. */
export function ringsAt({ cadenceMs }: Ringing, offset: number): boolean {
  const cycleMs = cadenceMs.reduce((sum, each) => sum + each, 0);
  let leftMs = ((offset / SAMPLES_PER_SECOND) * 1000) % cycleMs;
  for (const [at, lengthMs] of cadenceMs.entries()) {
    if (leftMs < lengthMs) return at % 2 === 0;
    leftMs -= lengthMs;
  }
  return false;
}
