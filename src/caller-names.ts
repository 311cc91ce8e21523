// Where callers' names come from, as the settings say: a file, a web service, or nowhere.
import { CallerNames, namesByHttp, namesInFile, type WebhookClient } from './calls/index.ts';
import type { Config } from './config.ts';
import type { Clock } from './lib/clock.ts';
import type { Log } from './lib/log.ts';
import type { Random } from './lib/random.ts';

interface NameGivens {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly webhooks: Pick<WebhookClient, 'send'>;
  /** The first account's token, which signs requests to the web service. */
  readonly authToken: string;
}

/** Undefined where nobody is to be asked. */
export function openCallerNames({ cnam }: Config, given: NameGivens): CallerNames | undefined {
  if (cnam === undefined) return undefined;
  const { webhooks, authToken, random, clock } = given;
  if ('file' in cnam) return new CallerNames(namesInFile(cnam.file, given), clock);
  const { url } = cnam;
  const source = namesByHttp((parameters) =>
    webhooks.send({ url, method: 'GET', parameters, authToken, idempotencyToken: random.hex(16) }),
  );
  return new CallerNames(source, clock);
}
