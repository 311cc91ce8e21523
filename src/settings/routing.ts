// Settings of where calls go: when a target is given up, and when it is down.
import { readYesOrNo, secondsAsMs, wholeNumber } from './readers.ts';
import type { Topic } from './setting.ts';

export const FAILOVER = {
  silenceMs: {
    variable: 'TANDEM_FAILOVER_SILENCE_MS',
    flag: 'failover-silence-ms',
    default: '4000',
    meaning: 'milliseconds, connecting included, without any response before the next target is called',
    read: wholeNumber(100, 32_000),
  },
  stallMs: {
    variable: 'TANDEM_FAILOVER_STALL_MS',
    flag: 'failover-stall-ms',
    default: '15000',
    meaning: 'milliseconds after a 100, without ringing or an answer, before the next target is called',
    read: wholeNumber(100, 60_000),
  },
  ringAgain: {
    variable: 'TANDEM_FAILOVER_RING_AGAIN',
    flag: 'failover-ring-again',
    default: 'no',
    meaning: 'yes: 408, 480 and 487 after ringing, and 5xx after early media, go to the next target too',
    read: readYesOrNo,
  },
} as const satisfies Topic;

export const HEALTH = {
  intervalMs: {
    variable: 'TANDEM_HEALTH_INTERVAL_S',
    flag: 'health-interval-s',
    default: '30',
    meaning: 'seconds between two OPTIONS to a target; 0 asks only those that are down',
    read: secondsAsMs(0, 86_400),
  },
  failures: {
    variable: 'TANDEM_HEALTH_FAILURES',
    flag: 'health-failures',
    default: '3',
    meaning: 'calls or OPTIONS in a row that fail before a target is down and tried last; 0 for never',
    read: wholeNumber(0, 1000),
  },
  recoveryMs: {
    variable: 'TANDEM_HEALTH_RECOVERY_S',
    flag: 'health-recovery-s',
    default: '15',
    meaning: 'seconds after which a target that is down is asked by OPTIONS whether it is up again',
    read: secondsAsMs(1, 86_400),
  },
} as const satisfies Topic;
