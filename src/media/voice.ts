// Twilio's voice names and the voices that we have.

/** Voices of flite; it takes an unknown name for `kal` without a word. */
export type Voice = 'kal' | 'slt';

/** A man's voice for `man` and where none is named; a woman's for `woman`, `alice`, `Polly.…` and the rest. */
export const voiceFor = (name: string | undefined): Voice =>
  name === undefined || name === '' || name.toLowerCase() === 'man' ? 'kal' : 'slt';
