import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CountingClock } from '../../test/support/counting-clock.ts';
import { ownPorts } from '../../test/support/own-ports.ts';
import { RawPeer, request } from '../../test/support/raw-peer.ts';
import { silentLog } from '../lib/log.ts';
import { seededRandom } from '../lib/random.ts';
import { createMediaEngine, type LocalMediaEngine, type MediaSession, toneLevel } from '../media/index.ts';
import { acceptAnswer, readAudio, writeOffer } from '../sdp/index.ts';
import {
  type ClientInvite,
  createUserAgent,
  type Dialog,
  type Endpoint,
  type UserAgent,
} from '../sip/index.ts';
import type { Behaviour } from './behaviours.ts';
import { type Carrier, type CarrierEvent, type CarrierOptions, startCarrier } from './carrier.ts';

const ports = await ownPorts();
let media: LocalMediaEngine;
let clock: CountingClock;
let agent: UserAgent;
let carrier: Carrier;
let events: CarrierEvent[];

const start = async (options: Partial<CarrierOptions> = {}): Promise<void> => {
  events = [];
  carrier = await startCarrier({
    host: '127.0.0.1',
    port: 0,
    clock,
    random: seededRandom(2),
    log: silentLog,
    media,
    ringMs: 20,
    slowMs: 60,
    holdMs: 200,
    onEvent: (event) => events.push(event),
    ...options,
  });
};

beforeEach(async () => {
  clock = new CountingClock();
  media = await createMediaEngine({ address: '127.0.0.1', ports, log: silentLog });
  const listen = [{ host: '127.0.0.1', port: 0 }];
  agent = await createUserAgent({ clock, random: seededRandom(1), log: silentLog, listen });
});

afterEach(async () => {
  await Promise.all([agent.close(), carrier.close()]);
  expect(media.sessions).toBe(0);
  expect(clock.pending).toBe(0);
  await media.close();
});

const types = (): string[] => events.map(({ type }) => type);
const reached = (type: CarrierEvent['type']): Promise<void> =>
  vi.waitFor(() => expect(types()).toContain(type), { timeout: 5000, interval: 5 });
const destination = (): Endpoint => ({
  transport: 'udp',
  address: '127.0.0.1',
  port: Number(carrier.address.split(':')[1]),
});

class Phone {
  readonly heard: (number | string)[] = [];
  dialog: Dialog | undefined;
  readonly session: MediaSession;
  readonly invite: ClientInvite;

  constructor(number: string, session: MediaSession, offer?: string) {
    this.session = session;
    const content = offer ?? writeOffer({ ...session.local, sessionId: '1', version: 1 });
    this.invite = agent.invite(
      {
        uri: `sip:${number}@${carrier.address}`,
        from: 'sip:+15550199@tandem.example',
        destination: destination(),
        body: { contentType: 'application/sdp', content },
      },
      {
        provisional: ({ status }) => this.heard.push(status),
        answered: (dialog, { status, body }) => {
          this.heard.push(status);
          this.dialog = dialog;
          session.connect(acceptAnswer(readAudio(body)));
          dialog.handle({
            ended: (by) => {
              this.heard.push(by);
              session.close();
            },
            offered: () => 488,
          });
        },
        failed: (failure) => {
          this.heard.push(failure.kind === 'response' ? failure.response.status : failure.kind);
          session.close();
        },
      },
    );
  }

  static async call(number: string, offer?: string): Promise<Phone> {
    return new Phone(number, await media.open({ family: 'phone', captureMs: 5000 }), offer);
  }

  async hears(outcome: number | string): Promise<void> {
    await vi.waitFor(() => expect(this.heard).toContain(outcome), { timeout: 5000, interval: 5 });
  }

  /** Level of a tone in the latest 200 ms heard. */
  async level(hz: number): Promise<number> {
    const samples = await this.session.captured();
    return samples.length < 1600 ? 0 : toneLevel(samples.subarray(-1600), hz);
  }
}

describe('a carrier that answers', () => {
  it('rings, answers, echoes, and says when the caller has hung up', async () => {
    await start();
    const phone = await Phone.call('+15550199');
    await phone.hears(200);
    expect(phone.heard.slice(-2)).toEqual([180, 200]);
    expect(carrier.calls()).toMatchObject([
      { id: phone.invite.callId, to: '+15550199', behaviour: 'echo', answered: true },
    ]);
    void phone.session.play({ kind: 'tone', frequenciesHz: [700], durationMs: 600 });
    await vi.waitFor(async () => expect(await phone.level(700)).toBeGreaterThan(0.4), 3000);
    phone.dialog?.bye();
    await reached('ended');
    expect(types()).toEqual(['invite', 'ringing', 'answered', 'ended']);
    expect(events.at(-1)).toMatchObject({ by: 'caller', call: { id: phone.invite.callId } });
    const { seconds } = events.at(-1) as CarrierEvent & { type: 'ended' };
    expect(seconds).toBeGreaterThan(0.2);
    expect(seconds).toBeLessThan(10);
    expect(carrier.calls()).toEqual([]);
    const captured = await carrier.captured(phone.invite.callId);
    expect(toneLevel(captured.subarray(-1600), 700)).toBeGreaterThan(0.4);
  });

  it('plays a tone', async () => {
    await start();
    const phone = await Phone.call('+15550440');
    await vi.waitFor(async () => expect(await phone.level(440)).toBeGreaterThan(0.45), 3000);
    expect(await phone.level(1000)).toBeLessThan(0.02);
    phone.dialog?.bye();
    await reached('ended');
  });

  it('hangs up when told to', async () => {
    await start({ always: 'tone' });
    const phone = await Phone.call('+15550486');
    await reached('answered');
    carrier.hangUp(phone.invite.callId);
    await phone.hears('remote');
    expect(events.at(-1)).toMatchObject({ type: 'ended', by: 'carrier' });
  });

  it('hangs up early', async () => {
    await start();
    const phone = await Phone.call('+15550002');
    await phone.hears('remote');
    expect(events.at(-1)).toMatchObject({ type: 'ended', by: 'carrier' });
  });

  it('drops the media and stays', async () => {
    await start({ holdMs: 500 });
    const phone = await Phone.call('+15550001');
    const all = () => phone.session.captured();
    await vi.waitFor(async () => expect(toneLevel(await all(), 440)).toBeGreaterThan(0.1), 3000);
    const received = async () => (await phone.session.statistics()).packetsReceived;
    await vi.waitFor(
      async () => {
        const [before, { packetsSent }] = [await received(), await phone.session.statistics()];
        await vi.waitFor(async () =>
          expect((await phone.session.statistics()).packetsSent).toBeGreaterThan(packetsSent + 4),
        );
        expect(await received()).toBe(before);
      },
      { timeout: 4000 },
    );
    expect(carrier.calls()).toHaveLength(1);
    phone.dialog?.bye();
    await reached('ended');
  });

  it('is slow: 100, a pause, then as usual', async () => {
    await start();
    const phone = await Phone.call('+15550100');
    await phone.hears(100);
    expect(carrier.calls()).toMatchObject([{ answered: false, behaviour: 'slow' }]);
    await phone.hears(200);
    expect(phone.heard).toEqual([100, 180, 200]);
    phone.dialog?.bye();
    await reached('ended');
  });

  it('refuses a call whose media it cannot have', async () => {
    await start();
    const session = await media.open({ family: 'phone' });
    const offer = writeOffer({ ...session.local, sessionId: '1', version: 1 });
    session.close();
    const phone = await Phone.call('+15550199', offer.replace('RTP/AVP', 'RTP/SAVP'));
    await phone.hears(488);
    expect(types()).toEqual(['invite', 'refused']);
  });

  it('refuses a call when its ports are exhausted', async () => {
    const { first } = await ownPorts();
    const pair = { first, last: first + 1 };
    const narrow = await createMediaEngine({ address: '127.0.0.1', ports: pair, log: silentLog });
    const taken = await narrow.open({ family: 'x' });
    await start({ media: narrow });
    const phone = await Phone.call('+15550199');
    await phone.hears(503);
    expect(events.at(-1)).toMatchObject({ type: 'refused', status: 503 });
    taken.close();
    await narrow.close();
  });
});

describe('a carrier that does not answer', () => {
  it.each<[string, number]>([
    ['+15550486', 486],
    ['+15550603', 603],
    ['+15550404', 404],
    ['+15550503', 503],
  ])('%s gets %i at once', async (number, status) => {
    await start();
    const phone = await Phone.call(number);
    await phone.hears(status);
    expect(phone.heard).toEqual([status]);
    expect(types()).toEqual(['invite', 'refused']);
    expect(carrier.calls()).toEqual([]);
    expect(await carrier.captured(phone.invite.callId)).toHaveLength(0);
  });

  it('rings until the caller gives up', async () => {
    await start({ ringMs: 0 });
    const phone = await Phone.call('+15550180');
    await phone.hears(180);
    phone.invite.cancel();
    await reached('canceled');
    expect(types()).toEqual(['invite', 'ringing', 'canceled']);
    expect(carrier.calls()).toEqual([]);
    phone.session.close();
  });

  it('lets go of a call that is canceled while its answer is made', async () => {
    const asked = Promise.withResolvers<void>();
    const opening = Promise.withResolvers<void>();
    const slowMedia: LocalMediaEngine = {
      ...media,
      open: async (options) => {
        asked.resolve();
        await opening.promise;
        return media.open(options);
      },
    };
    await start({ ringMs: 0, media: slowMedia });
    const phone = await Phone.call('+15550199');
    await phone.hears(180);
    await asked.promise;
    phone.invite.cancel();
    await reached('canceled');
    opening.resolve();
    phone.session.close();
    await vi.waitFor(async () => expect(await media.counts()).toEqual({ sessions: 0, sockets: 0 }));
    expect(types()).toEqual(['invite', 'ringing', 'canceled']);
  });

  it('refuses by 480 what rings when it is told to hang up or closes', async () => {
    await start();
    const [first, second] = [await Phone.call('+15550180'), await Phone.call('+15551180')];
    await first.hears(180);
    await second.hears(180);
    carrier.hangUp(first.invite.callId);
    await first.hears(480);
    await carrier.close();
    await second.hears(480);
  });

  it('stays silent: nothing is ever sent, and the call is told once', async () => {
    await start();
    const peer = await RawPeer.open();
    const invite = (number: string, branch: string): string =>
      request('INVITE', peer, { uri: `sip:${number}@${carrier.address}`, branch, callId: branch });
    peer.send(invite('+15550000', 'silent'), destination());
    peer.send(invite('+15550000', 'silent'), destination());
    await reached('invite');
    // Whatever the carrier says to a later request, it would have said to an earlier one before.
    peer.send(invite('+15550486', 'busy'), destination());
    expect((await peer.next(486)).callId).toBe('busy');
    expect(peer.heard).toEqual([]);
    expect(events.filter(({ call }) => call.behaviour === 'silent')).toHaveLength(1);
    peer.close();
  });
});

describe('a carrier’s records', () => {
  it('reads the number without its parameters and shows the request', async () => {
    await start();
    const phone = await Phone.call('+15550486;phone-context=x');
    await phone.hears(486);
    const [invite] = events;
    expect(invite?.call).toMatchObject({ to: '+15550486', behaviour: 'busy' satisfies Behaviour });
    expect(invite?.call.from).toContain('sip:+15550199@tandem.example');
    expect(invite?.type === 'invite' && invite.request.header('Max-Forwards')).toBe('70');
  });

  it('knows no call that never was', async () => {
    await start();
    await expect(carrier.captured('nobody')).rejects.toThrow(RangeError);
    carrier.hangUp('nobody');
  });

  it('keeps the sound of the latest calls only', async () => {
    await start({ always: 'busy' });
    const ids: string[] = [];
    for (let at = 0; at < 33; at++) {
      const phone = await Phone.call('1');
      await phone.hears(486);
      ids.push(phone.invite.callId);
    }
    await expect(carrier.captured(ids[0] as string)).rejects.toThrow(RangeError);
    expect(await carrier.captured(ids[1] as string)).toHaveLength(0);
  });
});
