// What calls of trunks are made with.
import type { DomainSuffixes } from '../../resources/index.ts';
import type { Directory } from '../../store/index.ts';
import type { CallerNames } from '../inbound/caller-name.ts';
import type { LegDeps } from '../leg/outbound-leg.ts';
import type { Seats } from './seat.ts';

export interface TrunkWorld extends LegDeps {
  readonly directory: Directory;
  readonly suffixes: DomainSuffixes;
  /** Of emergency services, without +. */
  readonly emergencyNumbers: readonly string[];
  /** First digits, with their +, of numbers that are known for toll fraud. */
  readonly tollFraudPrefixes: readonly string[];
  /** The PBXs' dialogs, and whose they are. */
  readonly seats: Seats;
  /** Host of the From header where the carrier's trunk names none. */
  readonly fromDomain: string;
  /** Seconds that a call may last from its answer. */
  readonly timeLimitS: number;
  /** Where callers' names are looked up; the name that the carrier shows is told where it knows none. */
  readonly names?: Pick<CallerNames, 'callerName'>;
}
