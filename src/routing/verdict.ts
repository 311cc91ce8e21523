// The failover table: what a target's final answer means for the targets after it.

export type Verdict =
  | { readonly goOn: true; readonly why: string }
  | { readonly goOn: false; readonly why: string };

/** Answers about the number or the callee, not about the carrier: no other target would know better. */
const FINAL = new Map<number, string>([
  [400, 'the request itself is refused'],
  [404, 'the number does not exist'],
  [405, 'the method is not allowed'],
  [410, 'the number is gone'],
  [416, 'the URI scheme is not understood'],
  [482, 'a loop was found'],
  [484, 'the number is incomplete'],
  [486, 'the callee is busy'],
]);

/** Answers that, once it rang, tell of the callee and not of the carrier: nobody is rung twice. */
const FINAL_AFTER_RINGING = new Map<number, string>([
  [408, 'it rang and nobody answered'],
  [480, 'it rang and the callee is unavailable'],
  [487, 'it rang and the call was ended'],
]);

/** What was seen of an attempt before its final answer. */
export interface Progress {
  readonly rang: boolean;
  readonly earlyMedia: boolean;
}

export interface RingRules {
  /** Ringing and early media change nothing: a callee may be rung twice. */
  readonly ringAgain: boolean;
}

/** Whether a final response of 300 or more stops the search or sends the call to the next target. */
export function judge(status: number, { rang, earlyMedia }: Progress, { ringAgain }: RingRules): Verdict {
  if (status >= 600) return final(status, 'a 6xx speaks for every place the callee could be');
  const always = FINAL.get(status);
  if (always) return final(status, always);
  const afterRinging = rang && !ringAgain ? FINAL_AFTER_RINGING.get(status) : undefined;
  if (afterRinging) return final(status, afterRinging);
  if (status >= 500 && earlyMedia && !ringAgain) return final(status, 'the caller already heard this target');
  if (status < 400) return { goOn: true, why: `${status} cannot be followed` };
  return { goOn: true, why: `${status} is no answer about the callee` };
}

const final = (status: number, why: string): Verdict => ({ goOn: false, why: `${status} is final: ${why}` });
