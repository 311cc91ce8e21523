// Runs SIPp, the SIP load tester, as one side of a call. Debian's is built without TLS, and so without SRTP: baresip is the
// secure peer (phones, trunk-secure-phones).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bound, freePort, isInstalled, type Program, startProgram } from './program.ts';

export const hasSipp = isInstalled('sipp', 'sip-tester');

/** Its exit code is 0 when every call went as its scenario says. */
export interface Sipp extends Program {
  readonly port: number;
}

/**
 * Starts SIPp on a free port of 127.0.0.1; `args` say how many calls to wait for (`-m`), and `-timeout` where they take
 * longer than 30 s.
 * @param listens as the transport of `args`; nowhere when it only calls.
 * @param scenario its XML, or the name of a built-in one; without it, `args` name one
 */
export async function startSipp(
  args: readonly string[],
  listens: 'udp' | 'tcp' | 'nowhere' = 'udp',
  scenario?: string,
): Promise<Sipp> {
  const port = freePort();
  const patience = args.includes('-timeout') ? [] : ['-timeout', '30s'];
  const common = ['-i', '127.0.0.1', '-p', String(port), '-nostdin', ...patience, '-timeout_error'];
  const program = startProgram('sipp', (folder) => [...args, ...source(scenario, folder), ...common]);
  if (listens !== 'nowhere') await bound(port, listens);
  return { ...program, port };
}

function source(scenario: string | undefined, folder: string): readonly string[] {
  if (scenario === undefined) return [];
  if (!scenario.startsWith('<')) return ['-sn', scenario];
  const file = join(folder, 'scenario.xml');
  writeFileSync(file, scenario);
  return ['-sf', file];
}

/** Expects of each that all its calls have gone as its scenario says. */
export async function allWentWell(sipps: readonly Sipp[]): Promise<void> {
  for (const sipp of sipps) expect(await sipp.exit, sipp.output().slice(-3000)).toBe(0);
}
