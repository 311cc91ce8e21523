// tandem carrier: a carrier to try the exchange with; it treats a call by the last digits of the number dialled.
import {
  BEHAVIOURS,
  type Behaviour,
  type Carrier,
  type CarrierEvent,
  type CarrierOptions,
  startCarrier,
} from '../carrier/index.ts';
import { systemClock } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { systemRandom } from '../lib/random.ts';
import { createMediaEngine } from '../media/index.ts';
import { stopSignal } from './serve.ts';

/** RTP ports of the carriers, clear of the exchange's own. */
const CARRIER_RTP = { first: 30_000, last: 39_999 };

/** Which number does what, a line each. */
export const behavioursHelp = (): string =>
  BEHAVIOURS.map(({ ending, does }) => `  ${(ending ? `…${ending}` : 'others').padEnd(8)}${does}`).join('\n');

/** @throws {Error} naming the behaviours there are. */
export function parseBehaviour(name: string): Behaviour {
  const found = BEHAVIOURS.find((row) => row.name === name);
  if (found) return found.name;
  throw new Error(`"${name}" is no behaviour; there are ${BEHAVIOURS.map((row) => row.name).join(', ')}`);
}

/** @throws {Error} where `text` is no port. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new Error(`--port must be a whole number from 0 to 65535: "${text}" is none`);
}

type Place = Pick<CarrierOptions, 'host' | 'port' | 'always'>;

/** Starts carriers that say on stdout what happens to them; `close` ends them all. */
export async function openCarriers(
  places: readonly (Place & { readonly name: string })[],
): Promise<{ readonly carriers: readonly Carrier[]; close(): Promise<void> }> {
  await using opened = new AsyncDisposableStack();
  const world = { clock: systemClock, random: systemRandom(), log: createLog('warn') };
  const media = await createMediaEngine({ address: '127.0.0.1', ports: CARRIER_RTP, log: world.log });
  opened.defer(() => media.close());
  const carriers: Carrier[] = [];
  for (const { name, ...place } of places) {
    const tell = (event: CarrierEvent) => void process.stdout.write(`${name}: ${inWords(event)}\n`);
    const carrier = await startCarrier({ ...world, ...place, media, onEvent: tell });
    opened.defer(() => carrier.close());
    carriers.push(carrier);
  }
  const running = opened.move();
  return { carriers, close: () => running.disposeAsync() };
}

export async function runCarrier(place: Place): Promise<void> {
  const stopped = stopSignal();
  const { carriers, close } = await openCarriers([{ ...place, name: 'carrier' }]);
  process.stdout.write(`carrier: listens on sip:${carriers[0]?.address}; Ctrl-C stops it\n`);
  await stopped;
  await close();
}

function inWords(event: CarrierEvent): string {
  const { to, from, behaviour } = event.call;
  switch (event.type) {
    case 'invite':
      return `${to} is called from ${from.replace(/;tag=.*/, '')}: ${behaviour}`;
    case 'refused':
      return `${to} was refused with ${event.status}`;
    case 'ended':
      return `${to} was ended by the ${event.by} after ${event.seconds.toFixed(1)} s`;
    case 'key':
      return `${to} hears the key ${event.key}`;
    default:
      return `${to} ${event.type === 'ringing' ? 'rings' : `was ${event.type}`}`;
  }
}
