// Tells a call as it happens, from its route trace: one line an event, with the time since the call was placed.
import type { ApiClient, Json } from './api-client.ts';

const POLL_MS = 100;
const FINAL = new Set(['completed', 'busy', 'failed', 'no-answer', 'canceled']);
/** After the end, callbacks may still be told; no longer than this many polls. */
const POLLS_AFTER_END = 5;

interface Narrated {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}

/** Prints until the call has ended; resolves with its final record. */
export async function narrate(api: ApiClient, callSid: string, print: (line: string) => void): Promise<Json> {
  let told = 0;
  let startMs: number | undefined;
  for (let afterEnd = 0; ; await new Promise((resolve) => setTimeout(resolve, POLL_MS))) {
    const record = await api.get(`/2010-04-01/Accounts/${api.accountSid}/Calls/${callSid}.json`);
    const trace = await api.get(`/tandem/v1/Calls/${callSid}/RouteTrace`);
    const events = trace.events as readonly Narrated[];
    for (const { at, kind, text } of events.slice(told)) {
      startMs ??= Date.parse(at);
      const seconds = ((Date.parse(at) - startMs) / 1000).toFixed(3).padStart(8);
      print(`${seconds} s  ${kind.padEnd(8)}  ${text}`);
    }
    told = events.length;
    if (FINAL.has(String(record.status)) && ++afterEnd > POLLS_AFTER_END) return record;
  }
}
