// Puts the doors together: what INVITE and REGISTER go through before anything else hears of them.
import { hkdfSync } from 'node:crypto';
import {
  type DigestTerms,
  Door,
  type InboundCalls,
  InboundPace,
  RejectionLog,
  Strangers,
} from './admission/index.ts';
import type { Config } from './config.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import type { Random } from './lib/random.ts';
import { Registrar } from './registrar/index.ts';
import { Nonces, type UserAgent } from './sip/index.ts';
import type { Store } from './store/index.ts';

interface DoorGivens {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly agent: UserAgent;
  readonly store: Store;
  /** The data folder's key. */
  readonly key: Uint8Array;
  /** Refusals are its own where the request named nobody's domain. */
  readonly account: { readonly accountSid: string };
  readonly opened: AsyncDisposableStack;
  readonly calls: InboundCalls;
  /** Calls that an account or a trunk has now. */
  readonly liveCalls: (sid: string) => number;
}

/** Resolves when calls and registrations are taken. */
export async function openDoors(
  config: Config,
  given: DoorGivens,
): Promise<{ readonly registrar: Registrar; readonly door: Door }> {
  const { agent, store, clock, opened, account } = given;
  const premises = { directory: store.directory, suffixes: config.domainSuffixes };
  const digest = digestTerms(config, given);
  const rejections = await RejectionLog.open(given);
  opened.defer(() => rejections.close());
  const strangers = new Strangers(clock);
  agent.answersStrangers(({ address }) => strangers.mayAnswer(address));
  const door = new Door({
    ...premises,
    clock,
    digest,
    rejections,
    strangers,
    mainAccountSid: account.accountSid,
    numbers: { ...config.numbers, anyCallerId: config.trunks.callerIds === 'any' },
    pace: new InboundPace({ ...config.callLimits, trunk: trunkLimits(config) }),
    liveCalls: given.liveCalls,
  });
  const { keepAliveS } = config.devices;
  const registrar = await Registrar.open({ ...given, ...premises, digest, door, keepAliveS });
  opened.defer(() => registrar.close());
  registrar.serve();
  door.open(agent, given.calls);
  return { registrar, door };
}

const trunkLimits = ({ trunks: { perSecond, maxCalls } }: Config) => ({
  ...(perSecond !== undefined && { perSecond }),
  ...(maxCalls !== undefined && { maxCalls }),
});

/** The key outlives a restart: a nonce that a phone has kept is stale after it, not forged. */
function digestTerms({ devices }: Config, { key, clock, random }: DoorGivens): DigestTerms {
  const nonceKey = Buffer.from(hkdfSync('sha256', key, '', 'digest nonces', 32));
  return { nonces: new Nonces({ key: nonceKey, clock, random }), algorithms: devices.digestAlgorithms };
}
