// What a PBX does with its calls: sends their parties elsewhere by REFER, and hears what comes of that.
import { expect } from 'vitest';
import type { Dialog, HeaderField, RequestView, ResponseView } from '../../src/sip/index.ts';
import { level } from './dial-scene.ts';
import type { TestCarrier } from './exchange.ts';
import type { SoftCall } from './softphone.ts';

/** @returns the REFER's final response */
export async function refer(
  call: SoftCall | Promise<Dialog>,
  to: string,
  ...headers: readonly HeaderField[]
): Promise<ResponseView> {
  const dialog = await ('answered' in call ? call.answered : call);
  return new Promise((resolve, reject) => {
    dialog.request({ method: 'REFER', headers: [['Refer-To', to], ...headers] }, (outcome) => {
      if (outcome.kind === 'response') resolve(outcome.response);
      else reject(new Error(outcome.kind));
    });
  });
}

interface Informed {
  readonly requests: readonly RequestView[];
}

/** The statuses that the PBX was told by NOTIFY. */
export const news = ({ requests }: Informed): number[] =>
  requests.filter(({ method }) => method === 'NOTIFY').map(({ body }) => Number(body.slice(8, 11)));

/** Resolves when the PBX has heard this last. */
export const told = (call: Informed, status: number): Promise<void> =>
  expect.poll(() => news(call).at(-1), { timeout: 8000 }).toBe(status);

/** Resolves when a tone is heard in what comes from now on: it had been heard before. */
export async function hearsStill(who: Pick<TestCarrier, 'heard'>, hz: number): Promise<void> {
  const before = (await who.heard()).length;
  const later = async (): Promise<number> => {
    const heard = (await who.heard()).slice(before);
    return heard.length < 4000 ? 0 : level(heard, hz);
  };
  await expect.poll(later, { timeout: 8000 }).toBeGreaterThan(0.1);
}

/** As Refer-To names it. */
export const addressOf = ({ uri }: Pick<TestCarrier, 'uri'>, user = 'kate'): string =>
  `<${uri.replace('sip:', `sip:${user}@`)}>`;
