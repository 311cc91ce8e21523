// How the built-in carrier treats a call, by the last digits of the number dialled.

import type { HeaderField } from '../sip/index.ts';

/** What happens to a call: dropped without a word, refused, left with a 100, left ringing, or answered. */
export type Treatment =
  | { readonly kind: 'ignore' }
  | {
      readonly kind: 'refuse';
      readonly status: number;
      readonly headers?: readonly HeaderField[];
      /** It rings before, with or without sound that the caller hears. */
      readonly after?: 'ringing' | 'early media';
    }
  | { readonly kind: 'stall' }
  | { readonly kind: 'ring' }
  | {
      readonly kind: 'answer';
      readonly sends: 'echo' | 'tone';
      /** Of the tone; 440 without it. */
      readonly hz?: number;
      /** The caller hears it before the answer too. */
      readonly early?: true;
      /** Keys it presses after the answer, instead of what it sends; `w` waits. */
      readonly presses?: string;
      /** Waits before it rings. */
      readonly slow?: true;
      /** A while after the answer. */
      readonly later?: 'mute' | 'hang up';
    };

interface BehaviourRow {
  readonly name: string;
  /** Last digits of the number; empty for every number that has none of the others. */
  readonly ending: string;
  /** In words, for people who read help and documentation. */
  readonly does: string;
  readonly treatment: Treatment;
}

const TABLE = [
  {
    name: 'echo',
    ending: '',
    does: 'rings, answers, and sends back what it hears',
    treatment: { kind: 'answer', sends: 'echo' },
  },
  {
    name: 'tone',
    ending: '440',
    does: 'rings, answers, and plays a tone of 440 Hz',
    treatment: { kind: 'answer', sends: 'tone' },
  },
  { name: 'busy', ending: '486', does: 'is busy: 486', treatment: { kind: 'refuse', status: 486 } },
  { name: 'decline', ending: '603', does: 'declines: 603', treatment: { kind: 'refuse', status: 603 } },
  {
    name: 'not-found',
    ending: '404',
    does: 'has no such number: 404',
    treatment: { kind: 'refuse', status: 404 },
  },
  {
    name: 'unavailable',
    ending: '503',
    does: 'is out of service: 503',
    treatment: { kind: 'refuse', status: 503 },
  },
  { name: 'ring', ending: '180', does: 'rings and never answers', treatment: { kind: 'ring' } },
  { name: 'silent', ending: '000', does: 'says nothing at all, not even 100', treatment: { kind: 'ignore' } },
  {
    name: 'slow',
    ending: '100',
    does: 'says 100, is silent for seconds, then rings, answers and echoes',
    treatment: { kind: 'answer', sends: 'echo', slow: true },
  },
  {
    name: 'drop-media',
    ending: '001',
    does: 'answers and plays a tone, then sends no more sound but stays in the call',
    treatment: { kind: 'answer', sends: 'tone', later: 'mute' },
  },
  {
    name: 'hang-up',
    ending: '002',
    does: 'answers, echoes, and soon hangs up',
    treatment: { kind: 'answer', sends: 'echo', later: 'hang up' },
  },
] as const satisfies readonly BehaviourRow[];

export type Behaviour = (typeof TABLE)[number]['name'];

export const BEHAVIOURS: readonly (BehaviourRow & { readonly name: Behaviour })[] = TABLE;

export function behaviourOf(number: string): Behaviour {
  const row = TABLE.find(({ ending }) => ending !== '' && number.endsWith(ending));
  return row?.name ?? 'echo';
}

export const treatmentOf = (behaviour: Behaviour): Treatment =>
  (TABLE.find(({ name }) => name === behaviour) ?? TABLE[0]).treatment;
