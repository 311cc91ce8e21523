// The stack alone against SIPp over UDP and TCP: its built-in scenarios, and one for each extension, as caller and callee.
import { afterEach, describe, expect, it } from 'vitest';
import {
  authenticate,
  challengeHeaders,
  type Dialog,
  parseSipfrag,
  referNotify,
  type ServerInvite,
  type SipUserAgent,
  type UserAgentOptions,
} from '../../src/sip/index.ts';
import { CALLEE_SCENARIOS, CALLER_SCENARIOS } from './sip-scenarios.ts';
import { hasSipp, type Sipp, startSipp } from './sipp.ts';
import {
  ask,
  openAgent,
  place,
  placeAt,
  placed,
  portOf,
  reoffer,
  type Seen,
  sdp,
  terms,
  uriAt,
  watch,
} from './stack.ts';

describe.skipIf(!hasSipp).each(['udp', 'tcp'] as const)('SIPp over %s', (transport) => {
  const running: Sipp[] = [];
  let agent: SipUserAgent;

  afterEach(async () => {
    await Promise.all(running.splice(0).map((sipp) => sipp.stop()));
    await agent.close();
  });

  const open = async (options: Partial<UserAgentOptions> = {}): Promise<void> => {
    agent = await openAgent(options);
  };

  async function sipp(
    scenario: string,
    listens: 'nowhere' | 'here',
    args: readonly string[] = [],
  ): Promise<Sipp> {
    const mode = ['-t', transport === 'udp' ? 'u1' : 't1'];
    const where = listens === 'here' ? transport : 'nowhere';
    const started = await startSipp([...args, ...mode, '-m', '1'], where, scenario);
    running.push(started);
    return started;
  }

  const calling = (scenario: string): Promise<Sipp> =>
    sipp(scenario, 'nowhere', [`127.0.0.1:${portOf(agent, transport)}`]);
  const called = (scenario: string): Promise<Sipp> => sipp(scenario, 'here');

  /** Over TCP its listening side may exit 1 after a call that went well: what we saw of the call must do. */
  async function finished(peer: Sipp, side: 'caller' | 'callee'): Promise<void> {
    const code = await peer.exit;
    if (transport === 'udp' || side === 'caller') expect(code, peer.output().slice(-3000)).toBe(0);
  }

  function answer(invite: ServerInvite): void {
    const dialog = invite.accept(sdp());
    watch(dialog, {
      requested: (request) => {
        if (request.method !== 'REFER') return 405;
        // After the 202.
        setImmediate(async () => {
          await ask(dialog, { method: 'NOTIFY', ...referNotify(100) });
          await ask(dialog, { method: 'NOTIFY', ...referNotify(200) });
        });
        return 202;
      },
    });
  }

  it('its built-in UAC calls us', async () => {
    await open();
    agent.onInvite((invite) => {
      invite.progress(180);
      answer(invite);
    });
    await finished(await calling('uac'), 'caller');
  });

  it.each(Object.entries(CALLER_SCENARIOS))('calls us: %s', async (name, scenario) => {
    await open();
    const ours = terms(407, ['MD5']);
    agent.onInvite((invite) => {
      if (name === 'md5' && authenticate(invite.request, ours).kind !== 'known') {
        return invite.reject(407, challengeHeaders(ours), { stateless: true });
      }
      if (name === 'prack') invite.progress(183, sdp(), { reliable: true });
      answer(invite);
    });
    await finished(await calling(scenario), 'caller');
  });

  const target = (peer: Sipp) => ({
    uri: uriAt('sipp', peer.port, transport),
    destination: placeAt(peer.port, transport),
  });

  /** A call that SIPp answers. */
  async function call(peer: Sipp, options = {}): Promise<[Dialog, Seen]> {
    let seen: Seen | undefined;
    const dialog = await placed(agent, { ...target(peer), ...options }, (made) => {
      seen = watch(made);
    });
    return [dialog, seen as Seen];
  }

  it('we call its built-in UAS', async () => {
    await open();
    const peer = await called('uas');
    const [dialog] = await call(peer);
    dialog.bye();
    await finished(peer, 'callee');
  });

  it('we call it: reliable 183', async () => {
    await open();
    const peer = await called(CALLEE_SCENARIOS.prack);
    const [dialog] = await call(peer);
    dialog.bye();
    await finished(peer, 'callee');
  });

  it('we call it: 302', async () => {
    await open();
    const peer = await called(CALLEE_SCENARIOS.redirect);
    expect(await place(agent, target(peer))).toMatchObject({ kind: 'response', response: { status: 302 } });
    await finished(peer, 'callee');
  });

  it('we call it: our re-INVITE and UPDATE', async () => {
    await open();
    const peer = await called(CALLEE_SCENARIOS.reinvite);
    const [dialog] = await call(peer);
    expect(await reoffer(dialog)).toBe('200');
    expect(await reoffer(dialog, sdp(), 'UPDATE')).toBe('200');
    dialog.bye();
    await finished(peer, 'callee');
  });

  it('we call it: its re-INVITE and UPDATE', async () => {
    await open();
    const peer = await called(CALLEE_SCENARIOS.offers);
    const offers: string[] = [];
    const dialog = await placed(agent, target(peer), (made) => {
      watch(made, {
        offered: (offer) => {
          offers.push(offer);
          if (offers.length === 2) setImmediate(() => made.bye());
          return sdp();
        },
      });
    });
    expect(dialog.callId).not.toBe('');
    await finished(peer, 'callee');
    expect(offers.length).toBe(2);
  });

  it('we call it: our REFER', async () => {
    await open();
    const peer = await called(CALLEE_SCENARIOS.refer);
    const progress: (number | undefined)[] = [];
    const dialog = await placed(agent, target(peer), (made) => {
      watch(made, {
        requested: ({ body }) => {
          progress.push(parseSipfrag(body));
          if (progress.length === 2) setImmediate(() => made.bye());
          return 200;
        },
      });
    });
    const refer = { method: 'REFER', headers: [['Refer-To', '<sip:carol@example.com>']] } as const;
    expect(await ask(dialog, refer)).toBe('202');
    await finished(peer, 'callee');
    expect(progress).toEqual([100, 200]);
  });

  it('we call it: a longer session interval', async () => {
    await open({ sessionTimer: { expiresS: 90, minSeS: 90 } });
    const peer = await called(CALLEE_SCENARIOS.timer);
    const [dialog] = await call(peer);
    dialog.bye();
    await finished(peer, 'callee');
  });

  it('we call it: MD5', async () => {
    await open();
    const peer = await called(CALLEE_SCENARIOS.md5);
    const [dialog] = await call(peer, { credentials: { username: 'alice', password: 'secret' } });
    dialog.bye();
    await finished(peer, 'callee');
  });

  it('we call it: MD5 with a wrong password', async () => {
    await open();
    const peer = await called(CALLEE_SCENARIOS.md5);
    const credentials = { username: 'alice', password: 'guess' };
    expect(await place(agent, { ...target(peer), credentials })).toMatchObject({
      kind: 'response',
      response: { status: 403 },
    });
    await finished(peer, 'callee');
  });
});
