// The stack alone against SIPp over UDP: its built-in scenarios, and one for each extension, as caller and as callee.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import {
  authenticate,
  challengeHeaders,
  createUserAgent,
  type Dialog,
  ha1Of,
  type InviteFailure,
  Nonces,
  referNotify,
  type ServerInvite,
  type SipUserAgent,
} from '../../src/sip/index.ts';
import { CALLEE_SCENARIOS, CALLER_SCENARIOS } from './sip-scenarios.ts';
import { hasSipp, type Sipp, startSipp } from './sipp.ts';

const body = {
  contentType: 'application/sdp',
  content: 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n',
};

describe.skipIf(!hasSipp)('SIPp', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-sipp-'));
  const running: Sipp[] = [];
  let agent: SipUserAgent;

  beforeEach(async () => {
    agent = await createUserAgent({
      clock: systemClock,
      random: systemRandom(),
      log: silentLog,
      listen: [{ host: '127.0.0.1', port: 0 }],
      dialogMethods: ['REFER'],
    });
  });

  afterEach(async () => {
    for (const sipp of running.splice(0)) sipp.stop();
    await agent.close();
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const here = (): string => `127.0.0.1:${agent.listening[0]?.port}`;

  async function sipp(scenario: string, args: readonly string[] = []): Promise<Sipp> {
    const file = join(folder, 'scenario.xml');
    writeFileSync(file, scenario);
    const source = scenario.startsWith('<') ? ['-sf', file] : ['-sn', scenario];
    const started = await startSipp([...args, ...source, '-m', '1']);
    running.push(started);
    return started;
  }

  async function finished(peer: Sipp): Promise<void> {
    const code = await peer.exit;
    expect(code, peer.output().slice(-3000)).toBe(0);
  }

  function answer(invite: ServerInvite): Dialog {
    const dialog = invite.accept(body);
    dialog.handle({
      ended: () => {},
      offered: () => body,
      requested: (request) => {
        if (request.method !== 'REFER') return 405;
        setTimeout(() => dialog.request({ method: 'NOTIFY', ...referNotify(100) }), 20);
        setTimeout(() => dialog.request({ method: 'NOTIFY', ...referNotify(200) }), 100);
        return 202;
      },
    });
    return dialog;
  }

  it('its built-in UAC calls us', async () => {
    agent.onInvite((invite) => {
      invite.progress(180);
      answer(invite);
    });
    await finished(await sipp('uac', [here()]));
  });

  it.each(Object.entries(CALLER_SCENARIOS))('calls us: %s', async (name, scenario) => {
    const nonces = new Nonces({ key: Buffer.alloc(32, 7), clock: systemClock, random: systemRandom() });
    const terms = {
      status: 407,
      realm: 'tandem',
      domain: 'tandem',
      nonces,
      algorithms: ['MD5'],
      ha1s: (username: string) => [ha1Of('MD5', { username, password: 'secret' }, 'tandem')],
    } as const;
    agent.onInvite((invite) => {
      if (name === 'md5' && authenticate(invite.request, terms).kind !== 'known') {
        return invite.reject(407, challengeHeaders(terms), { stateless: true });
      }
      if (name === 'prack') invite.progress(183, body, { reliable: true });
      answer(invite);
    });
    await finished(await sipp(scenario, [here()]));
  });

  /** Places a call; resolves with its dialog, or with how it failed. */
  const call = (peer: Sipp): Promise<Dialog | InviteFailure> =>
    new Promise((resolve) => {
      agent.invite(
        {
          uri: `sip:sipp@127.0.0.1:${peer.port}`,
          from: 'sip:tandem@127.0.0.1',
          destination: { transport: 'udp', address: '127.0.0.1', port: peer.port },
          body,
        },
        {
          provisional: () => {},
          answered: (dialog) => {
            dialog.handle({ ended: () => {}, offered: () => body });
            resolve(dialog);
          },
          failed: resolve,
        },
      );
    });

  const reoffer = (dialog: Dialog, method: 'INVITE' | 'UPDATE'): Promise<string> =>
    new Promise((resolve) =>
      dialog.reoffer(
        body,
        (outcome) => resolve(outcome.kind === 'response' ? `${outcome.response.status}` : outcome.kind),
        method,
      ),
    );

  it('we call its built-in UAS', async () => {
    const peer = await sipp('uas');
    ((await call(peer)) as Dialog).bye();
    await finished(peer);
  });

  it('we call it: reliable 183', async () => {
    const peer = await sipp(CALLEE_SCENARIOS.prack);
    ((await call(peer)) as Dialog).bye();
    await finished(peer);
  });

  it('we call it: 302', async () => {
    const peer = await sipp(CALLEE_SCENARIOS.redirect);
    expect(await call(peer)).toMatchObject({ kind: 'response', response: { status: 302 } });
    await finished(peer);
  });

  it('we call it: our re-INVITE and UPDATE', async () => {
    const peer = await sipp(CALLEE_SCENARIOS.reinvite);
    const dialog = (await call(peer)) as Dialog;
    expect(await reoffer(dialog, 'INVITE')).toBe('200');
    expect(await reoffer(dialog, 'UPDATE')).toBe('200');
    dialog.bye();
    await finished(peer);
  });
});
