// tandem call: places a call and tells it as it happens.
import type { Config } from '../config.ts';
import { readAccount } from './account.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { narrate } from './narrate.ts';

export interface CallOptions {
  readonly to: string;
  readonly from: string;
  /** Sid of the trunk; the newest one without. */
  readonly byoc?: string;
  readonly say: string;
  readonly twiml?: string;
  readonly url?: string;
  readonly timeout: string;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Resolves with the exit code: 0 for a call that was answered and completed, else 1. Ctrl-C cancels the call. */
export async function placeCall(config: Config, options: CallOptions): Promise<number> {
  const api = createApiClient(apiUrl(config), readAccount(config));
  const path = `/2010-04-01/Accounts/${api.accountSid}/Calls`;
  const placed = await api.post(`${path}.json`, {
    To: options.to,
    From: options.from,
    Timeout: options.timeout,
    ...(options.to.startsWith('sip:') ? {} : { Byoc: options.byoc ?? (await newestTrunk(api)) }),
    ...(options.url === undefined ? { Twiml: options.twiml ?? sayTwiml(options.say) } : { Url: options.url }),
  });
  print(`${placed.sid} is queued. Ctrl-C ends it.`);
  process.once(
    'SIGINT',
    () => void api.post(`${path}/${placed.sid}.json`, { Status: 'completed' }).catch(() => {}),
  );
  const { status, duration } = await narrate(api, String(placed.sid), print);
  print(duration === null ? `The call ended: ${status}.` : `The call ended: ${status} after ${duration} s.`);
  return status === 'completed' ? 0 : 1;
}

/** The sid of the trunk that was made last. */
export async function newestTrunk(api: ApiClient): Promise<string> {
  const page = await api.get('/v1/ByocTrunks?PageSize=1');
  const [trunk] = page.byoc_trunks as readonly { readonly sid: string }[];
  if (trunk) return trunk.sid;
  throw new Error('There is no BYOC trunk to carry the call: make one, or run tandem init for a demo');
}

/** Where the commands reach the exchange that these settings start. */
export const apiUrl = ({ http }: Config): string =>
  `http://${http.host.includes(':') ? `[${http.host}]` : http.host}:${http.port}`;

const XML_ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const sayTwiml = (text: string): string =>
  `<Response><Say>${text.replace(/[&<>]/g, (character) => XML_ENTITIES[character] ?? '')}</Say></Response>`;
