// tandem explain: where a call would go and why, without placing it.
import type { Config } from '../config.ts';
import { readAccount } from './account.ts';
import { createApiClient } from './api-client.ts';
import { apiUrl, newestTrunk } from './call.ts';

export interface ExplainOptions {
  readonly to: string;
  readonly from: string;
  readonly byoc?: string;
  readonly json?: boolean;
}

interface ExplainedTarget {
  readonly target: string;
  readonly request_uri: string;
  readonly addresses: readonly string[];
  readonly verdict: string;
}

export async function explainCall(config: Config, { to, from, byoc, json }: ExplainOptions): Promise<void> {
  const api = createApiClient(apiUrl(config), readAccount(config));
  const explanation = await api.post('/tandem/v1/Explain', {
    To: to,
    From: from,
    ...(to.startsWith('sip:') ? {} : { Byoc: byoc ?? (await newestTrunk(api)) }),
  });
  if (json) return void process.stdout.write(`${JSON.stringify(explanation)}\n`);
  const targets = explanation.targets as readonly ExplainedTarget[];
  const lines = targets.flatMap(({ target, verdict, request_uri: uri, addresses }) => [
    `  ${target}: ${verdict}`,
    ...(addresses.length
      ? [`    INVITE ${uri} to ${addresses.join(', then ')}, From ${explanation.from}`]
      : []),
  ]);
  process.stdout.write(`${[`${explanation.rule}:`, ...lines, `${explanation.verdict}.`].join('\n')}\n`);
}
