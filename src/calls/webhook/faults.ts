// What went wrong with a webhook request, as Twilio's error code (Twilio: "Error and Warning Dictionary", 11xxx).
import { ConnectFailure, FORBIDDEN_NETWORK } from './connector.ts';
import type { RetryCause } from './overrides.ts';

export interface Fault {
  readonly code: number;
  readonly message: string;
  /** By which a retry policy may want it again; undefined for what no other attempt mends. */
  readonly cause?: RetryCause;
}

const NO_CONNECTION = 11205;
const TLS_FAILED = 11220;

const CONNECT_CODES: Readonly<Record<string, number>> = {
  UND_ERR_CONNECT_TIMEOUT: 11201,
  ETIMEDOUT: 11201,
  ECONNREFUSED: 11202,
  ENOTFOUND: 11210,
  EAI_AGAIN: 11210,
  ENODATA: 11210,
  [FORBIDDEN_NETWORK]: NO_CONNECTION,
  ERR_TLS_CERT_ALTNAME_INVALID: 11235,
  CERT_HAS_EXPIRED: 11236,
  CERT_NOT_YET_VALID: 11236,
  EPROTO: TLS_FAILED,
};

/** Of what OpenSSL says of a chain it cannot follow to a root it trusts. */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_UNTRUSTED|CERT_REJECTED|CERT_CHAIN_TOO_LONG|CERT_REVOKED|INVALID_CA|INVALID_PURPOSE)/;

/** Neither another address nor another moment is to be expected. */
const HOPELESS: ReadonlySet<number> = new Set([11210, 11235, 11236, 11237]);

const NO_HTTP: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** @param totalMs after which the request was given up. */
export function faultOf(error: unknown, totalMs: number): Fault {
  const { name, code = '', message } = error as { name?: string; code?: string; message: string };
  if (name === 'TimeoutError') return { code: 11203, message: `no answer within ${totalMs} ms` };
  if (error instanceof ConnectFailure) return connectFault(error);
  if (code === 'ERR_INVALID_URL') return { code: 11100, message };
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return { code: 11200, message: 'the answer stopped, or did not begin', cause: 'rt' };
  const isNoHttp = name === 'HTTPParserError' || code.startsWith('HPE_') || NO_HTTP.has(code);
  if (isNoHttp) return { code: 11206, message };
  return { code: 11200, message: message || code };
}

function connectFault({ code, message }: ConnectFailure): Fault {
  const isTls = code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS');
  const known = CONNECT_CODES[code] ?? (UNTRUSTED.test(code) ? 11237 : isTls ? TLS_FAILED : NO_CONNECTION);
  const isHopeless = HOPELESS.has(known) || code === FORBIDDEN_NETWORK;
  return { code: known, message, ...(!isHopeless && { cause: 'ct' as const }) };
}
