import { expect, it } from 'vitest';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { seededRandom } from '../../lib/random.ts';
import { MediaError, type MediaSession } from '../../media/index.ts';
import type { LegObserver } from '../leg/leg.ts';
import { ThroughLeg } from './through-leg.ts';

/** A call whose sessions of media, the caller's and then the callee's, open when the test says so. */
function begin() {
  const opening: PromiseWithResolvers<MediaSession>[] = [];
  const told: string[] = [];
  const open = (): Promise<MediaSession> => {
    const session = Promise.withResolvers<MediaSession>();
    opening.push(session);
    return session.promise;
  };
  const deps = { media: { open }, clock: new FakeClock(), random: seededRandom(1), rules: {} };
  const invite = {
    received: { address: '127.0.0.1' },
    handle() {},
    reject: (status: number) => told.push(`refused ${status}`),
  };
  const observer: Partial<LegObserver> = { unanswered: ({ why }) => void told.push(why) };
  const leg = new ThroughLeg(
    deps as never,
    {
      caller: { invite: invite as never, offer: { profile: 'RTP/AVP' } as never },
      callee: { plan: { rule: 'a rule', targets: [], timeoutMs: 9 } as never, template: () => ({}) as never },
      family: 'CA1',
      unreached: (ending) => ending,
      answered() {},
      referred: () => 403,
    },
    observer as LegObserver,
  );
  leg.start();
  return { opening, told };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('nobody is called before there are ports for the caller', async () => {
  const { opening } = begin();
  await turn();
  expect(opening).toHaveLength(1);
  opening[0]?.resolve({ close() {} } as MediaSession);
  await turn();
  expect(opening).toHaveLength(2);
});

it('nobody is called where there are none', async () => {
  const { opening, told } = begin();
  opening[0]?.reject(new MediaError('ports-exhausted', 'no port is free'));
  await turn();
  expect(opening).toHaveLength(1);
  expect(told).toEqual(['refused 503', 'no media: no port is free']);
});
