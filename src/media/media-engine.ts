// The built-in media engine: sessions spread over worker threads by family, and the workers watched.
import '../lib/steady-wasm.ts';

import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { systemRandom } from '../lib/random.ts';
import { AudioFiles } from './audio-files.ts';
import { type MediaEngine, MediaError, type MediaOptions, type MediaSession } from './engine.ts';
import { EngineSession } from './engine-session.ts';
import { type PortRange, splitPorts } from './port-pool.ts';
import { PromptCache } from './prompt-cache.ts';
import { Speech } from './speech.ts';
import { SpeechSynthesis } from './speech-synthesis.ts';
import { SAMPLES_PER_SECOND } from './tone.ts';
import { WorkerLink } from './worker-link.ts';
import type { MediaWorkerData, WorkerCounts } from './worker-messages.ts';
import { workerUrl } from './worker-url.ts';

const MAX_CAPTURE_MS = 10 * 60_000;
/** How long `close` waits for the files of recordings. */
const CLOSE_MS = 5000;

export interface MediaEngineOptions {
  /** IPv4 or IPv6 address that the sockets are bound to. */
  readonly address: string;
  /** Address told to peers; by default the one bound to. */
  readonly advertise?: string;
  /** The same of the other kind, IPv6 or IPv4: every session is reached at both, by the same ports. */
  readonly other?: { readonly address: string; readonly advertise?: string };
  /** Ports are used in pairs: an even one and the next. */
  readonly ports: PortRange;
  /** Worker threads, each with an equal share of the ports. Default 1. */
  readonly workers?: number;
  /** For how long nothing may come of a peer, in milliseconds; 0, the default: for ever. */
  readonly lostAfterMs?: number;
  readonly log: Log;
  /** Folder for rendered prompts; without it they are kept in memory only. */
  readonly cacheDir?: string;
  /** Starts a media worker; tests put their own in its place. */
  readonly spawn?: (data: MediaWorkerData) => Worker;
}

export interface LocalMediaEngine extends MediaEngine {
  /** What the workers hold open, summed. */
  counts(): Promise<WorkerCounts>;
}

/** A worker's place: its share of the ports outlives the worker in it. */
interface Slot {
  readonly data: MediaWorkerData;
  link: WorkerLink;
  readonly sessions: Map<number, EngineSession>;
  /** Sessions open and about to be. */
  load: number;
}

/** Rejects with MediaError `engine-failed` when a worker does not start. */
export async function createMediaEngine(options: MediaEngineOptions): Promise<LocalMediaEngine> {
  const engine = new WorkerEngine(options);
  try {
    await engine.started();
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

/**
 * Its room for new objects is 16 MB from the start: what lives for one packet is then seldom gone through, which makes
 * a relayed packet cheaper by a twentieth. The flag is read as the thread starts, and is no other worker's affair.
 */
function spawnMediaWorker(data: MediaWorkerData): Worker {
  setFlagsFromString('--min-semi-space-size=16');
  const worker = new Worker(workerUrl('media-worker', import.meta.url), { workerData: data });
  return worker.once('online', () => setFlagsFromString('--min-semi-space-size=0'));
}

class WorkerEngine implements LocalMediaEngine {
  readonly #options: MediaEngineOptions;
  readonly #slots: readonly Slot[];
  /** The slot of every family that has sessions, and how many. */
  readonly #families = new Map<string, { readonly slot: Slot; load: number }>();
  readonly #synthesis = new SpeechSynthesis();
  readonly #speech: Speech;
  readonly #audio: AudioFiles;
  /** Recordings whose files are not complete. */
  readonly #recordings = new Set<Promise<unknown>>();
  #nextSession = 0;
  #closed = false;

  constructor(options: MediaEngineOptions) {
    this.#options = options;
    const { address, other, cacheDir: folder, lostAfterMs = 0, log } = options;
    const addresses = [address, ...(other ? [other.address] : [])];
    this.#slots = splitPorts(options.ports, options.workers ?? 1).map((ports) =>
      this.#startSlot({ addresses, ports, lostAfterMs }),
    );
    const cache = new PromptCache({ folder, log, random: systemRandom() });
    this.#speech = new Speech(this.#synthesis, cache);
    this.#audio = new AudioFiles({ cache });
  }

  async started(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.link.started));
  }

  get sessions(): number {
    return this.#slots.reduce((sum, slot) => sum + slot.sessions.size, 0);
  }

  async open({ family, captureMs = 0 }: MediaOptions): Promise<MediaSession> {
    if (!(captureMs >= 0 && captureMs <= MAX_CAPTURE_MS))
      throw new RangeError(`captureMs ${captureMs} is out of range`);
    if (this.#closed) throw new MediaError('engine-failed', 'the media engine is closed');
    const slot = this.#join(family);
    try {
      return await this.#openIn(slot, family, Math.round((captureMs / 1000) * SAMPLES_PER_SECOND));
    } catch (error) {
      this.#leave(family);
      throw error;
    }
  }

  async counts(): Promise<WorkerCounts> {
    const all = await Promise.all(this.#slots.map(({ link }) => link.ask({ type: 'counts' })));
    return {
      sessions: all.reduce((sum, each) => sum + each.sessions, 0),
      sockets: all.reduce((sum, each) => sum + each.sockets, 0),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const slot of this.#slots) for (const session of slot.sessions.values()) session.close();
    await this.#recordingsEnd();
    await Promise.all([
      this.#synthesis.close(),
      this.#audio.close(),
      ...this.#slots.map(({ link }) => link.close()),
    ]);
  }

  async #follow(recording: Promise<unknown>): Promise<void> {
    this.#recordings.add(recording);
    await recording;
    this.#recordings.delete(recording);
  }

  /** A disk that hangs does not hold up the end for ever. */
  async #recordingsEnd(): Promise<void> {
    if (this.#recordings.size === 0) return;
    const late = Promise.withResolvers<void>();
    const timer = systemClock.after(CLOSE_MS, () => late.resolve());
    await Promise.race([Promise.all(this.#recordings), late.promise]);
    systemClock.cancel(timer);
  }

  async #openIn(slot: Slot, family: string, captureSamples: number): Promise<MediaSession> {
    const { link } = slot;
    const number = this.#nextSession++;
    const port = await link.ask({ type: 'open', session: number, captureSamples });
    if (port === undefined) throw new MediaError('ports-exhausted', 'no RTP port is free');
    const session = new EngineSession({
      number,
      link,
      local: this.#local(port),
      render: async (prompt) =>
        prompt.kind === 'speech'
          ? this.#speech.render(prompt.text, prompt.voice)
          : this.#audio.render(prompt.file),
      recording: (recording) => void this.#follow(recording),
      closed: () => {
        slot.sessions.delete(number);
        this.#leave(family);
      },
    });
    slot.sessions.set(number, session);
    return session;
  }

  #local(port: number): MediaSession['local'] {
    const { address, advertise = address, other } = this.#options;
    const otherAddress = other?.advertise ?? other?.address;
    return { address: advertise, port, ...(otherAddress !== undefined && { otherAddress }) };
  }

  /** The family's slot, else the one with the least to do. */
  #join(family: string): Slot {
    const least = () => this.#slots.reduce((least, each) => (each.load < least.load ? each : least));
    const joined = this.#families.get(family) ?? { slot: least(), load: 0 };
    this.#families.set(family, joined);
    joined.load++;
    joined.slot.load++;
    return joined.slot;
  }

  #leave(family: string): void {
    const joined = this.#families.get(family);
    if (!joined) return;
    joined.slot.load--;
    if (--joined.load === 0) this.#families.delete(family);
  }

  #startSlot(data: MediaWorkerData): Slot {
    const slot: Slot = { data, sessions: new Map(), load: 0, link: this.#startLink(data, () => slot) };
    return slot;
  }

  #startLink(data: MediaWorkerData, slot: () => Slot): WorkerLink {
    const link: WorkerLink = new WorkerLink((this.#options.spawn ?? spawnMediaWorker)(data), {
      finished: (session, play) => slot().sessions.get(session)?.finished(play),
      digit: (session, digit) => slot().sessions.get(session)?.pressed(digit),
      lost: (session) => slot().sessions.get(session)?.lost(),
      unsent: (reason) => this.#options.log.error({ reason: reason.message }, 'a media worker was not told'),
      gone: (reason) => this.#replace(slot(), link, reason),
    });
    return link;
  }

  /** A worker that ran gets a successor at once; one that never started does not, or it would go on for ever. */
  #replace(slot: Slot, gone: WorkerLink, reason: Error): void {
    if (this.#closed) return;
    this.#options.log.error(
      { reason: reason.message, sessions: slot.sessions.size },
      'a media worker is gone',
    );
    for (const session of slot.sessions.values()) session.fail(reason);
    if (gone.ran) slot.link = this.#startLink(slot.data, () => slot);
  }
}
