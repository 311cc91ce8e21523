// Requests to the user's web application: signed, bounded in time and size, and never to a network that is not allowed.
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Networks } from '../../lib/networks.ts';
import { systemRandom } from '../../lib/random.ts';
import { WebhookAgents } from './agents.ts';
import type { LookupAll } from './connector.ts';
import { type Hop, sendHop } from './exchange.ts';
import { type Fault, faultOf } from './faults.ts';
import { Lanes } from './lanes.ts';
import { type Overrides, parseOverrides, type RetryCause } from './overrides.ts';
import type { WebhookRequest, WebhookResult } from './request.ts';
import { SessionMemory, type SessionWorld } from './session.ts';
import { readWebhookUrl, type WebhookUrl } from './url.ts';

export interface WebhookSession {
  /** Never rejects: what goes wrong is a `failure`. */
  send(request: WebhookRequest): Promise<WebhookResult>;
}

export interface WebhookClient extends WebhookSession {
  /** For the requests of one call: cookies are kept, and who has logged in stays so. `send` alone forgets at once. */
  session(): WebhookSession;
  close(): Promise<void>;
}

export interface WebhookClientOptions extends Partial<SessionWorld> {
  /** Certificates that are trusted in place of the system's, in PEM. */
  readonly ca?: string;
  /** How names become addresses; the system's way where missing. */
  readonly lookup?: LookupAll;
}

/** Of each account to each host: what comes beyond waits, and what would wait behind very many is refused. */
const LANE = { active: 64, waiting: 1000 };

export function createWebhookClient(
  networks: Networks,
  product: string,
  options: WebhookClientOptions = {},
): WebhookClient {
  const { clock = systemClock, random = systemRandom() } = options;
  const agents = new WebhookAgents({ ...options, networks });
  const lanes = new Lanes(LANE);
  const session = (): WebhookSession => {
    const memory = new SessionMemory({ clock, random });
    return { send: (request) => deliver(request, { agents, lanes, memory, product, clock }) };
  };
  return { session, send: (request) => session().send(request), close: () => agents.close() };
}

interface DeliveryParts {
  readonly agents: WebhookAgents;
  readonly lanes: Lanes;
  readonly memory: SessionMemory;
  readonly product: string;
  readonly clock: Clock;
}

async function deliver(request: WebhookRequest, parts: DeliveryParts): Promise<WebhookResult> {
  const target = readWebhookUrl(request.url);
  if ('code' in target) return { kind: 'failure', ...target };
  const overrides = parseOverrides(target.fragment);
  if ('code' in overrides) return { kind: 'failure', ...overrides };
  const { signal, cancel } = deadline(parts.clock, overrides.totalMs);
  try {
    const name = `${request.authToken} ${target.url.origin}`;
    const attempts = () => attempt({ request, target, overrides, signal }, parts);
    const result = await parts.lanes.run(name, signal, attempts);
    if (result !== 'full') return result;
    const message = `${LANE.waiting} requests wait for ${target.url.host} already`;
    return { kind: 'failure', code: 11200, message };
  } catch (error) {
    return failure(faultOf(error, overrides.totalMs));
  } finally {
    cancel();
  }
}

/** Not `AbortSignal.timeout`, which lives until its time is up, however soon the answer came. */
function deadline(clock: Clock, ms: number): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const controller = new AbortController();
  const late = () => controller.abort(new DOMException('no answer in time', 'TimeoutError'));
  const timer = clock.after(ms, late);
  return { signal: controller.signal, cancel: () => clock.cancel(timer) };
}

interface Delivery {
  readonly request: WebhookRequest;
  readonly target: WebhookUrl;
  readonly overrides: Overrides;
  readonly signal: AbortSignal;
}

/** Tries as often as the overrides say; never again once part of an answer has come. @throws what aborted it. */
async function attempt(delivery: Delivery, parts: DeliveryParts): Promise<WebhookResult> {
  const { overrides, signal } = delivery;
  for (let retries = overrides.retries; ; retries--) {
    const { result, cause } = await once(delivery, parts);
    const isWanted = cause !== undefined && overrides.retryOn.has(cause);
    if (retries === 0 || !isWanted || signal.aborted) return result;
  }
}

async function once(
  { request, target, overrides, signal }: Delivery,
  { agents, memory, product }: DeliveryParts,
): Promise<{ readonly result: WebhookResult; readonly cause?: RetryCause }> {
  const first: Hop = { ...target, method: request.method, form: request.parameters };
  const { readMs } = overrides;
  const progress = { hasBegun: false };
  try {
    const dispatcher = (kept: boolean) => agents.get(overrides, kept);
    const result = await sendHop(first, { request, product, dispatcher, readMs, memory, signal, progress });
    const cause = causeOf(result);
    return { result, ...(cause && { cause }) };
  } catch (error) {
    const { cause, ...fault } = faultOf(signal.aborted ? signal.reason : error, overrides.totalMs);
    return { result: failure(fault), ...(cause && !progress.hasBegun && { cause }) };
  }
}

function causeOf(result: WebhookResult): RetryCause | undefined {
  const status = result.kind === 'failure' ? result.response?.status : undefined;
  if (status === undefined || status < 400) return undefined;
  return status < 500 ? '4xx' : '5xx';
}

const failure = ({ code, message }: Fault): WebhookResult => ({ kind: 'failure', code, message });
