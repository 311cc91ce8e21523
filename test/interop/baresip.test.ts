// baresip, a phone, against the stack alone: it registers, calls and is called, by every transport.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  authenticate,
  challengeHeaders,
  type Dialog,
  type DialogHandlers,
  type DigestAlgorithm,
  type RequestView,
  referNotify,
  type SipUserAgent,
  type TransportName,
} from '../../src/sip/index.ts';
import { certificateFor } from '../support/certificates.ts';
import { type Baresip, hasBaresip, startBaresip } from './baresip.ts';
import {
  ask,
  openAgent,
  PASSWORD,
  placeAt,
  placed,
  portOf,
  reoffer,
  type Seen,
  sdp,
  TRANSPORTS,
  terms,
  uriAt,
  watch,
} from './stack.ts';

const ours = certificateFor('127.0.0.1');

describe.skipIf(!hasBaresip)('baresip', () => {
  let agent: SipUserAgent;
  let phone: Baresip;
  let verdicts: string[];
  let registered: Promise<RequestView>;

  beforeEach(async () => {
    agent = await openAgent({ tls: ours });
    verdicts = [];
  });

  afterEach(async () => {
    // It takes its registration back as it ends, and waits for the answer.
    await phone.stop();
    await agent.close();
  });

  async function start(
    transport: TransportName,
    {
      algorithms = ['MD5'],
      password = PASSWORD,
    }: { algorithms?: readonly DigestAlgorithm[]; password?: string } = {},
  ): Promise<void> {
    const ourTerms = terms(401, algorithms);
    registered = new Promise((resolve) =>
      agent.onRequest('REGISTER', ({ request, respond }) => {
        const { kind } = authenticate(request, ourTerms);
        verdicts.push(kind);
        if (kind !== 'known') return respond(401, { headers: challengeHeaders(ourTerms) });
        const contact = request.header('Contact') ?? '';
        respond(200, { headers: [['Contact', `${contact};expires=60`]] });
        resolve(request);
      }),
    );
    phone = await startBaresip({ registrar: portOf(agent, transport), transport, password, ca: ours.cert });
  }

  /** It adds its account's transport by itself. */
  const dial = (transport: TransportName): Promise<void> =>
    phone.command('dial', `sip:tandem@127.0.0.1:${portOf(agent, transport)}`);

  /** What it calls us with. */
  const taken = (handlers: Partial<DialogHandlers> = {}): Promise<[Dialog, Seen]> =>
    new Promise((resolve) =>
      agent.onInvite((invite) => {
        invite.progress(180);
        const dialog = invite.accept(sdp());
        resolve([dialog, watch(dialog, handlers)]);
      }),
    );

  async function callIt(transport: TransportName): Promise<[Dialog, Seen]> {
    let seen: Seen | undefined;
    const target = {
      uri: uriAt('phone', phone.ports[transport], transport),
      destination: placeAt(phone.ports[transport], transport),
    };
    const dialog = await placed(agent, target, (made) => {
      seen = watch(made);
    });
    return [dialog, seen as Seen];
  }

  describe.each(TRANSPORTS)('over %s', (transport) => {
    it('registers by MD5', async () => {
      await start(transport);
      const request = await registered;
      expect(verdicts).toEqual(['unknown', 'known']);
      expect(request.header('Via')).toContain(`SIP/2.0/${transport.toUpperCase()}`);
      await phone.said('200 OK');
    });

    it.each(['it', 'we'] as const)('calls us, and %s hang up', async (who) => {
      await start(transport);
      await registered;
      const call = taken();
      await dial(transport);
      const [dialog, seen] = await call;
      await phone.said('Call established');
      if (who === 'it') await phone.command('hangup');
      else dialog.bye();
      expect((await seen.ended).by).toBe(who === 'it' ? 'remote' : 'local');
    });

    it.each(['it', 'we'] as const)('is called by us, and %s hang up', async (who) => {
      await start(transport);
      await registered;
      const [dialog, seen] = await callIt(transport);
      await phone.said('Call established');
      expect(await reoffer(dialog)).toBe('200');
      if (who === 'it') await phone.command('hangup');
      else dialog.bye();
      expect((await seen.ended).by).toBe(who === 'it' ? 'remote' : 'local');
    });

    it('holds and resumes by re-INVITE', async () => {
      await start(transport);
      await registered;
      const call = taken();
      await dial(transport);
      const [, seen] = await call;
      await phone.said('Call established');
      await phone.command('hold');
      await phone.said('got SDP answer', 2);
      await phone.command('resume');
      await phone.said('got SDP answer', 3);
      const directions = seen.offers.map((offer) => /^a=(send\w+|recvonly|inactive)/m.exec(offer)?.[1]);
      expect(directions).toEqual(['sendonly', 'sendrecv']);
      await phone.command('hangup');
      expect((await seen.ended).by).toBe('remote');
    });

    it('transfers by REFER, and hears how that goes', async () => {
      await start(transport);
      await registered;
      let refer: (request: RequestView) => void = () => {};
      const referred = new Promise<RequestView>((resolve) => {
        refer = resolve;
      });
      const call = taken({
        requested: (request) => {
          if (request.method !== 'REFER') return 405;
          refer(request);
          return 202;
        },
      });
      await dial(transport);
      const [dialog, seen] = await call;
      await phone.said('Call established');
      await phone.command('transfer', 'sip:carol@127.0.0.1');
      expect((await referred).header('Refer-To')).toContain('sip:carol@127.0.0.1');
      expect(await ask(dialog, { method: 'NOTIFY', ...referNotify(100) })).toBe('200');
      expect(await ask(dialog, { method: 'NOTIFY', ...referNotify(200) })).toBe('200');
      // A transfer that succeeded is the end of its call.
      expect((await seen.ended).by).toBe('remote');
    });
  });

  it('with a wrong password does not register', async () => {
    await start('udp', { password: 'guess' });
    await phone.said('401 Unauthorized');
    expect(verdicts).not.toContain('known');
  });

  // 1.0.0 knows MD5 alone, and one challenge for anything else makes it give up, wherever that stands.
  it.each([[['MD5', 'SHA-256']], [['SHA-256', 'MD5']]] as const)(
    'gives up when challenged for %j',
    async (algorithms) => {
      await start('udp', { algorithms });
      await phone.said('Function not implemented');
      expect(verdicts).toEqual(['unknown']);
    },
  );
});
