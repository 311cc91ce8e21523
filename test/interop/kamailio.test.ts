// A Kamailio that stays on the path between two of our agents, keeps where they are, and logs in for others.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  authenticate,
  challengeHeaders,
  type Dialog,
  type DigestAlgorithm,
  type RequestOutcome,
  type ServerInvite,
  type SipUserAgent,
  type TransportName,
} from '../../src/sip/index.ts';
import { hasKamailio, type Kamailio, type KamailioOptions, startKamailio } from './kamailio.ts';
import {
  ask,
  openAgent,
  PASSWORD,
  place,
  placeAt,
  placed,
  portOf,
  reoffer,
  request,
  type Seen,
  sdp,
  terms,
  uriAt,
  watch,
} from './stack.ts';

/** Of the caller, and of the callee. */
const WAYS = [
  ['udp', 'udp'],
  ['tcp', 'tcp'],
  ['tls', 'tls'],
  ['tls', 'udp'],
  ['udp', 'tls'],
  ['tcp', 'udp'],
] as const;

describe.skipIf(!hasKamailio)('Kamailio', () => {
  let kamailio: Kamailio;
  let caller: SipUserAgent;
  let callee: SipUserAgent;

  beforeEach(async () => {
    caller = await openAgent();
    callee = await openAgent();
  });

  afterEach(async () => {
    await Promise.all([caller.close(), callee.close(), kamailio.stop()]);
  });

  const start = async (options: KamailioOptions = {}): Promise<void> => {
    kamailio = await startKamailio(options);
  };

  const through = (way: TransportName, to: TransportName) => ({
    uri: uriAt('bob', portOf(callee, to), to),
    destination: placeAt(kamailio.ports[way], way),
  });

  interface Call {
    readonly ours: Dialog;
    readonly theirs: Dialog;
    readonly seenByUs: Seen;
    readonly seenByThem: Seen;
  }

  async function connect(way: TransportName, to: TransportName): Promise<Call> {
    const taken = new Promise<[Dialog, Seen]>((resolve) =>
      callee.onInvite((invite) => {
        invite.progress(180);
        const dialog = invite.accept(sdp());
        resolve([dialog, watch(dialog)]);
      }),
    );
    let seenByUs: Seen | undefined;
    const ours = await placed(caller, through(way, to), (dialog) => {
      seenByUs = watch(dialog);
    });
    const [theirs, seenByThem] = await taken;
    return { ours, theirs, seenByUs: seenByUs as Seen, seenByThem };
  }

  describe.each(WAYS)('stays between a caller by %s and a callee by %s', (way, to) => {
    it.each(['caller', 'callee'] as const)('every request goes by it, and the %s hangs up', async (who) => {
      await start();
      const { ours, theirs, seenByUs, seenByThem } = await connect(way, to);
      await kamailio.said('LOOSE ACK');
      expect(await ask(ours, { method: 'INFO' })).toBe('200');
      expect(await ask(theirs, { method: 'INFO' })).toBe('200');
      expect(await reoffer(ours)).toBe('200');
      expect(await reoffer(theirs)).toBe('200');
      await kamailio.said('LOOSE ACK', 3);
      expect(await reoffer(theirs, sdp(), 'UPDATE')).toBe('200');
      expect([seenByUs.offers.length, seenByThem.offers.length]).toEqual([2, 1]);
      (who === 'caller' ? ours : theirs).bye();
      const { by, request: bye } = await (who === 'caller' ? seenByThem : seenByUs).ended;
      expect(by).toBe('remote');
      const received = [...seenByUs.requests, ...seenByThem.requests, bye];
      // Two Vias: nothing took the short way past the proxy.
      expect(received.map((one) => one?.headers('Via').length)).toEqual([2, 2, 2]);
      await kamailio.said('LOOSE BYE');
    });
  });

  it.each(WAYS)('carries CANCEL by %s to %s', async (way, to) => {
    await start();
    const taken = new Promise<ServerInvite>((resolve) => callee.onInvite(resolve));
    const heard: string[] = [];
    const over = new Promise<void>((resolve) => {
      const call = caller.invite(
        { ...through(way, to), from: 'sip:alice@127.0.0.1', body: sdp() },
        {
          provisional: ({ status }) => {
            heard.push(`${status}`);
            if (status === 180) call.cancel();
          },
          answered: () => heard.push('answered'),
          failed: () => heard.push('failed'),
          late: ({ kind, status }) => {
            heard.push(`${kind} ${status}`);
            if (kind === 'final') resolve();
          },
        },
      );
    });
    const invite = await taken;
    const canceled = new Promise<void>((resolve) => {
      invite.handle({ canceled: resolve });
    });
    invite.progress(180);
    await Promise.all([canceled, over]);
    // An INVITE that was sent again is answered by 100 again.
    expect([...new Set(heard)]).toEqual(['100', '180', 'final 487']);
    expect(kamailio.output()).toContain('CANCEL');
  });

  const statusOf = (outcome: RequestOutcome): number | string =>
    outcome.kind === 'response' ? outcome.response.status : outcome.kind;

  describe.each(['MD5', 'SHA-256'] as const)('as registrar that asks for %s', (algorithm) => {
    const user = { name: 'bob', password: PASSWORD, realm: 'kamailio' };

    const register = (password: string, way: TransportName): Promise<RequestOutcome> =>
      request(callee, {
        method: 'REGISTER',
        uri: 'sip:127.0.0.1',
        from: 'sip:bob@127.0.0.1',
        to: 'sip:bob@127.0.0.1',
        destination: placeAt(kamailio.ports[way], way),
        headers: [['Expires', '60']],
        credentials: { username: 'bob', password },
      });

    it.each(['udp', 'tcp', 'tls'] as const)('over %s: registers, and is called', async (way) => {
      await start({ role: 'registrar', algorithm, user });
      const outcome = await register(PASSWORD, way);
      expect(statusOf(outcome)).toBe(200);
      expect(outcome.kind === 'response' && outcome.response.header('Contact')).toContain(
        `:${portOf(callee, way)}`,
      );
      const seen = new Promise<Seen>((resolve) =>
        callee.onInvite((invite) => resolve(watch(invite.accept(sdp())))),
      );
      const dialog = await placed(caller, {
        uri: 'sip:bob@127.0.0.1',
        destination: placeAt(kamailio.ports[way], way),
        credentials: { username: 'alice', password: PASSWORD },
      });
      dialog.bye();
      expect((await (await seen).ended).by).toBe('remote');
    });

    it('refuses a wrong password', async () => {
      await start({ role: 'registrar', algorithm, user });
      expect(statusOf(await register('guess', 'udp'))).toBe(401);
      const outcome = await place(caller, {
        uri: 'sip:bob@127.0.0.1',
        destination: placeAt(kamailio.ports.udp, 'udp'),
        credentials: { username: 'alice', password: 'guess' },
      });
      expect('kind' in outcome && outcome.kind !== 'timeout' && statusOf(outcome)).toBe(407);
    });
  });

  describe.each([401, 407] as const)('as client that we challenge by %i', (status) => {
    const authenticating = async (algorithms: readonly DigestAlgorithm[], password: string) => {
      await start({ role: 'client', user: { name: 'trunk', password, realm: 'tandem' } });
      const ours = terms(status, algorithms);
      const verdicts: string[] = [];
      callee.onInvite((invite) => {
        const verdict = authenticate(invite.request, ours);
        verdicts.push(verdict.kind === 'known' ? verdict.username : verdict.kind);
        if (verdict.kind === 'known') watch(invite.accept(sdp()));
        else invite.reject(status, challengeHeaders(ours), { stateless: true });
      });
      const outcome = await place(caller, through('udp', 'udp'));
      return { outcome, verdicts };
    };

    it('is known by MD5', async () => {
      const { outcome, verdicts } = await authenticating(['MD5'], PASSWORD);
      expect(verdicts).toEqual(['unknown', 'trunk']);
      expect('kind' in outcome).toBe(false);
    });

    it('is not known by a wrong password', async () => {
      const { outcome, verdicts } = await authenticating(['MD5'], 'guess');
      expect(verdicts).toEqual(['unknown', 'unknown']);
      expect(outcome).toMatchObject({ kind: 'response', response: { status } });
    });

    // Its client knows MD5 alone, and looks at the first challenge alone: what asks for SHA-256 first shuts it out.
    it.each([
      [['MD5', 'SHA-256'], 'trunk'],
      [['SHA-256', 'MD5'], undefined],
    ] as const)('reads the first challenge of %j', async (algorithms, second) => {
      const { verdicts } = await authenticating(algorithms, PASSWORD);
      expect(verdicts).toEqual(['unknown', ...(second ? [second] : [])]);
    });
  });
});
