// Runs SIPp, the SIP load tester, as one side of a call.
import { bound, freePort, isInstalled, type Program, startProgram } from './program.ts';

export const hasSipp = isInstalled('sipp', 'sip-tester');

/** Its exit code is 0 when every call went as its scenario says. */
export interface Sipp extends Program {
  readonly port: number;
}

/**
 * Starts SIPp on a free port of 127.0.0.1; `args` name the scenario and how many calls to wait for (`-m`), and
 * `-timeout` where they take longer than 30 s.
 * @param listens as the transport of `args`; nowhere when it only calls.
 */
export async function startSipp(
  args: readonly string[],
  listens: 'udp' | 'tcp' | 'nowhere' = 'udp',
): Promise<Sipp> {
  const port = freePort();
  const patience = args.includes('-timeout') ? [] : ['-timeout', '30s'];
  const common = ['-i', '127.0.0.1', '-p', String(port), '-nostdin', ...patience, '-timeout_error'];
  const program = startProgram('sipp', () => [...args, ...common]);
  if (listens !== 'nowhere') await bound(port, listens);
  return { ...program, port };
}
