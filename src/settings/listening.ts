// Settings of the addresses, ports and certificates that the exchange is reached by.
import {
  numberOr,
  readAddress,
  readBaseUrl,
  readList,
  readNetworks,
  readOfEachKind,
  readPort,
  readPortRange,
  readText,
} from './readers.ts';
import type { Topic } from './setting.ts';

export const LISTENERS = {
  httpHost: {
    variable: 'TANDEM_HTTP_HOST',
    flag: 'http-host',
    default: '127.0.0.1',
    meaning: 'address the REST API listens on',
    read: (text: string) => (text === 'localhost' ? text : readAddress(text)),
  },
  httpPort: {
    variable: 'TANDEM_HTTP_PORT',
    flag: 'http-port',
    default: '8080',
    meaning: 'port of the REST API; 0 picks a free one',
    read: readPort,
  },
  httpsPort: {
    variable: 'TANDEM_HTTPS_PORT',
    flag: 'https-port',
    unset: 'off',
    meaning: 'port of the REST API over TLS, beside the other; 0 picks a free one',
    read: numberOr('off', 0, 65_535),
  },
  sipHosts: {
    variable: 'TANDEM_SIP_HOST',
    flag: 'sip-host',
    default: '127.0.0.1',
    meaning: 'addresses SIP listens on, IPv4 or IPv6, separated by commas',
    read: (text: string) => readList(text).map(readAddress),
  },
  sipPort: {
    variable: 'TANDEM_SIP_PORT',
    flag: 'sip-port',
    default: '5060',
    meaning: 'UDP and TCP port of SIP; 0 picks a free one',
    read: readPort,
  },
  sipsPort: {
    variable: 'TANDEM_SIPS_PORT',
    flag: 'sips-port',
    unset: '5061, or a free one where the SIP port is 0',
    meaning: 'TLS port of SIP; 0 picks a free one, off speaks no TLS',
    read: (text: string) => (text === 'off' ? text : readPort(text)),
  },
} as const satisfies Topic;

/** The first two go together. */
export const TLS = {
  cert: {
    variable: 'TANDEM_TLS_CERT',
    flag: 'tls-cert',
    unset: 'made at the first start, kept in the data folder',
    meaning: 'PEM file of the certificate, and of the chain below its root; read again when it changes',
    read: readText,
  },
  key: {
    variable: 'TANDEM_TLS_KEY',
    flag: 'tls-key',
    unset: 'made with the certificate',
    meaning: "PEM file of the certificate's key",
    read: readText,
  },
  ca: {
    variable: 'TANDEM_SIP_CA',
    flag: 'sip-ca',
    unset: 'none',
    meaning: 'PEM file of certificates that are trusted beside those the system trusts',
    read: readText,
  },
} as const satisfies Topic;

export const ADDRESSES = {
  publicIps: {
    variable: 'TANDEM_PUBLIC_IP',
    flag: 'public-ip',
    unset: 'the SIP hosts',
    meaning:
      'address that Via, Contact and SDP name, one of IPv4, of IPv6, or both; needed with a wildcard SIP host',
    read: readOfEachKind,
  },
  rtpPorts: {
    variable: 'TANDEM_RTP_PORTS',
    flag: 'rtp-ports',
    default: '20000-29999',
    meaning: 'UDP ports for media, first and last',
    read: readPortRange,
  },
  baseUrl: {
    variable: 'TANDEM_BASE_URL',
    flag: 'base-url',
    unset: "from the request's Host",
    meaning: 'base of the absolute URLs in answers, such as https://tandem.example.com',
    read: readBaseUrl,
  },
} as const satisfies Topic;

export const NETWORKS = {
  allowNets: {
    variable: 'TANDEM_ALLOW_NETS',
    flag: 'allow-nets',
    unset: 'all loopback and private ones while every listener is on loopback, else none',
    meaning: 'private networks that calls and webhooks may reach, such as 10.0.0.0/8,192.168.1.0/24; or none',
    read: readNetworks,
  },
} as const satisfies Topic;
