// A certificate that vouches for itself (RFC 5280), for a start without one: Node can read certificates, not make them.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Random } from './random.ts';

export interface SelfSigned {
  /** In PEM. */
  readonly cert: string;
  /** In PEM, PKCS #8, an EC key on P-256. */
  readonly key: string;
}

export interface SelfSignedOptions {
  /** Domain names and IP addresses, the first one also the subject's name. */
  readonly names: readonly string[];
  /** Validity in milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly random: Random;
}

/** @throws {RangeError} without a name. */
export function selfSignedCertificate({ names, fromMs, toMs, random }: SelfSignedOptions): SelfSigned {
  const [first] = names;
  if (first === undefined) throw new RangeError('a certificate needs a name');
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = sequence(set(sequence(oid('550403'), der(UTF8_STRING, Buffer.from(first)))));
  const signed = sequence(
    explicit(0, integer(Buffer.of(2))),
    // Positive, and never shorter than it looks.
    integer(Buffer.from(`40${random.hex(15)}`, 'hex')),
    ECDSA_WITH_SHA256,
    subject,
    sequence(time(fromMs), time(toMs)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(alternativeNames(names), CA_CONSTRAINT)),
  );
  return { cert: pem(signedBy(privateKey, signed)), key: exportKey(privateKey) };
}

const signedBy = (key: KeyObject, signed: Buffer): Buffer =>
  sequence(signed, ECDSA_WITH_SHA256, bitString(sign('sha256', signed, key)));

const exportKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;

const pem = (certificate: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;

// DER (X.690): a tag, the length, the content. Object identifiers are written as their octets in hex.
const UTF8_STRING = 0x0c;

function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const { length } = Buffer.concat(content);
  const long = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...long), ...content]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts);
const explicit = (number: number, part: Uint8Array): Buffer => der(0xa0 | number, part);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const integer = (octets: Uint8Array): Buffer => der(0x02, octets);
const bitString = (octets: Uint8Array): Buffer => der(0x03, Buffer.of(0), octets);
const octetString = (octets: Uint8Array): Buffer => der(0x04, octets);

/** `YYYYMMDDHHMMSSZ`, or with two digits for the year before 2050 (RFC 5280 §4.1.2.5). */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, '');
  return digits < '2050' ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
/** A CA, so that it can stand in a file of trusted ones. */
const CA_CONSTRAINT = sequence(
  oid('551d13'),
  der(0x01, Buffer.of(0xff)),
  octetString(sequence(der(0x01, Buffer.of(0xff)))),
);

function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    isIP(name) ? der(0x87, Buffer.from(ipaddr.parse(name).toByteArray())) : der(0x82, Buffer.from(name)),
  );
  return sequence(oid('551d11'), octetString(sequence(...entries)));
}
