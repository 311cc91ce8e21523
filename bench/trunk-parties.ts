// Both ends of the live calls of trunk-live.ts in one process: a PBX that calls, a carrier that answers, and RTP of each,
// whose packets say when they left.
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../src/lib/clock.ts';
import { silentLog } from '../src/lib/log.ts';
import { systemRandom } from '../src/lib/random.ts';
import { createUserAgent, type Dialog } from '../src/sip/index.ts';

/** To the process; each is answered. */
export type PartiesRequest =
  /** Calls the server at this port until so many calls are up; answered with how many are. */
  | { readonly type: 'open'; readonly port: number; readonly calls: number }
  | { readonly type: 'measure'; readonly seconds: number; readonly lateMs: number }
  | { readonly type: 'close' };

/** Of the packets that left in a span of time, both ways. */
export interface Heard {
  readonly sent: number;
  readonly lost: number;
  /** Came later after they left than was asked about. */
  readonly late: number;
  /** From the party that sent a packet to the other one; those that are lost do not count. */
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Of this process: near 1, it is these parties that are late. */
  readonly partiesCpuShare: number;
}

const FRAME_MS = 20;
/** Streams are spread over the frame. */
const SLICES = 10;
const OPENED_A_SECOND = 100;
/** What is not there by then is lost. */
const GRACE_MS = 500;
/** Delays are counted by tenths of a millisecond, up to a second. */
const TENTHS = 10_000;
/** Where a packet's payload says in which measurement it left, and when. */
const AT = { span: 12, sent: 16, end: 172 } as const;

interface Stream {
  readonly socket: Socket;
  readonly port: number;
  readonly packet: Buffer;
}

class Sound {
  readonly #streams: Stream[] = [];
  readonly #delays = new Uint32Array(TENTHS);
  #span = 0;
  #sent = 0;
  #received = 0;

  static async open(): Promise<{ readonly sound: Sound; readonly pbx: Socket; readonly carrier: Socket }> {
    const sound = new Sound();
    const [pbx, carrier] = [await sound.#socket(), await sound.#socket()];
    sound.#pace();
    return { sound, pbx, carrier };
  }

  async #socket(): Promise<Socket> {
    const socket = createSocket({
      type: 'udp4',
      recvBufferSize: 8 << 20,
      lookup: (host, _, done) => done(null, host, 4),
    });
    socket.on('message', (packet) => this.#hear(packet));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return socket;
  }

  /** A stream from `socket` to a port of the server, until `clear`. */
  add(socket: Socket, port: number): void {
    const packet = Buffer.alloc(AT.end, 0xd3);
    packet.writeUInt32BE(0x80000000);
    packet.writeUInt32BE(1000 + this.#streams.length, 8);
    this.#streams.push({ socket, port, packet });
  }

  clear(): void {
    this.#streams.length = 0;
  }

  async measure(seconds: number, lateMs: number): Promise<Heard> {
    this.#delays.fill(0);
    [this.#sent, this.#received] = [0, 0];
    const [cpu, startMs] = [process.cpuUsage(), performance.now()];
    const span = ++this.#span;
    await pause(seconds * 1000);
    this.#span++;
    const { user, system } = process.cpuUsage(cpu);
    const partiesCpuShare = (user + system) / 1000 / (performance.now() - startMs);
    await pause(GRACE_MS);
    if (this.#span !== span + 1) throw new Error('two measurements at once');
    const late = this.#delays.subarray(lateMs * 10).reduce((sum, count) => sum + count, 0);
    return {
      sent: this.#sent,
      lost: this.#sent - this.#received,
      late,
      delayMs: { p50: this.#delayAt(0.5), p99: this.#delayAt(0.99), max: this.#delayAt(1) },
      partiesCpuShare: Number(partiesCpuShare.toFixed(2)),
    };
  }

  #delayAt(share: number): number {
    let left = Math.ceil(this.#received * share);
    const at = this.#delays.findIndex((count) => (left -= count) <= 0);
    return at / 10;
  }

  /** Spans with odd numbers are measured; of the even ones between, packets of the one before still come. */
  #hear(packet: Buffer): void {
    const span = packet.readUInt32BE(AT.span);
    if (span % 2 === 0 || span < this.#span - 1) return;
    this.#received++;
    const tenths = Math.round(performance.now() * 10) - packet.readUInt32BE(AT.sent);
    const at = Math.min(TENTHS - 1, Math.max(0, tenths));
    this.#delays[at] = (this.#delays[at] ?? 0) + 1;
  }

  #send({ socket, port, packet }: Stream): void {
    packet.writeUInt16BE((packet.readUInt16BE(2) + 1) & 0xffff, 2);
    packet.writeUInt32BE((packet.readUInt32BE(4) + 160) >>> 0, 4);
    packet.writeUInt32BE(this.#span, AT.span);
    packet.writeUInt32BE(Math.round(performance.now() * 10), AT.sent);
    if (this.#span % 2 === 1) this.#sent++;
    socket.send(packet, 0, AT.end, port, '127.0.0.1');
  }

  #pace(): void {
    const start = performance.now();
    let slice = 0;
    const beat = (): void => {
      for (; start + (slice * FRAME_MS) / SLICES <= performance.now(); slice++)
        for (let at = slice % SLICES; at < this.#streams.length; at += SLICES)
          this.#send(this.#streams[at] as Stream);
      setTimeout(beat, 1);
    };
    beat();
  }
}

const describe = ({ port }: { readonly port: number }) => ({
  contentType: 'application/sdp',
  content: `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0\r\n`,
});

const portIn = (sdp: string): number => Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);

const newAgent = () =>
  createUserAgent({
    clock: systemClock,
    random: systemRandom(),
    log: silentLog,
    listen: [{ host: '127.0.0.1', port: 0 }],
  });

export async function runParties(): Promise<void> {
  const { sound, pbx, carrier } = await Sound.open();
  const [caller, callee] = [await newAgent(), await newAgent()];
  const up = new Set<Dialog>();
  callee.onInvite((invite) => {
    sound.add(carrier, portIn(invite.request.body));
    invite.accept(describe(carrier.address())).handle({ ended() {}, offered: () => 488 });
  });
  const call = (port: number): Promise<void> =>
    new Promise((resolve) => {
      caller.invite(
        {
          uri: 'sip:+14155550123@bench.pstn.twilio.com',
          from: 'sip:+14155550100@bench.pstn.twilio.com',
          destination: { transport: 'udp', address: '127.0.0.1', port },
          body: describe(pbx.address()),
        },
        {
          provisional() {},
          answered: (dialog, { body }) => {
            up.add(dialog);
            dialog.handle({ ended: () => void up.delete(dialog), offered: () => 488 });
            sound.add(pbx, portIn(body));
            resolve();
          },
          failed: () => resolve(),
          late() {},
        },
      );
    });
  const answers = {
    async open({ port, calls }: PartiesRequest & { type: 'open' }): Promise<number> {
      const begun: Promise<void>[] = [];
      for (let more = calls - up.size; more > 0; more--) {
        begun.push(call(port));
        await pause(1000 / OPENED_A_SECOND);
      }
      await Promise.all(begun);
      return up.size;
    },
    measure: ({ seconds, lateMs }: PartiesRequest & { type: 'measure' }) => sound.measure(seconds, lateMs),
    async close(): Promise<number> {
      sound.clear();
      for (const dialog of up) {
        dialog.bye();
        await pause(5);
      }
      return up.size;
    },
  };
  process.on('message', async (request: PartiesRequest) => {
    process.send?.(await answers[request.type](request as never));
  });
  process.send?.(callee.listening[0]?.port);
}

// A child whose parent is gone has nothing left to do.
process.on('disconnect', () => process.exit(1));
if (import.meta.main) await runParties();
