// tandem serve: runs the exchange until it is told to stop.
import { setFlagsFromString } from 'node:v8';
import type { Config } from '../config.ts';
import { systemClock } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { systemRandom } from '../lib/random.ts';
import { startTandem, type Tandem } from '../tandem.ts';

/** Starts the exchange and prints the ready line; resolves when it runs. */
export async function serve(config: Config): Promise<Tandem> {
  const log = createLog(config.logLevel);
  for (const warning of config.warnings) log.warn({}, warning);
  const tandem = await startTandem(config, { clock: systemClock, random: systemRandom(), log });
  // The room for new objects may grow from now on: bin/tandem.js held it back while everything was loaded.
  setFlagsFromString('--semi-space-growth-factor=2');
  const { http, https, sip, sips, account } = tandem;
  process.stdout.write(
    `${JSON.stringify({ ready: true, http, https, sip, sips, account_sid: account.accountSid })}\n`,
  );
  return tandem;
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the program at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      resolve(signal);
      for (const each of SIGNALS) process.removeListener(each, stop).once(each, () => process.exit(1));
    };
    for (const signal of SIGNALS) process.once(signal, stop);
  });
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Runs the exchange until SIGTERM or SIGINT, then drains it. */
export async function serveUntilStopped(config: Config): Promise<void> {
  const stopped = stopSignal();
  const tandem = await serve(config);
  await stopped;
  const { calls } = tandem.counts();
  if (calls > 0) {
    process.stderr.write(
      `Waiting up to ${config.drainS} s for ${calls} running calls; once more to stop at once.\n`,
    );
  }
  await tandem.stop(config.drainS * 1000);
}
