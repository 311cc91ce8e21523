// How settings are read: text in, a checked value out, or a BadValue that says what would do.
import { isIP } from 'node:net';
import { allowNetworks } from '../lib/networks.ts';
import { BadValue } from './setting.ts';

export const readText = (text: string): string => text;

/** @param reason says what would match. */
export const textLike =
  (pattern: RegExp, reason: string) =>
  (text: string): string => {
    if (pattern.test(text)) return text;
    throw new BadValue(reason);
  };

export function readYesOrNo(text: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new BadValue('must be yes or no');
}

export const oneOf =
  <T extends string>(words: readonly T[]) =>
  (text: string): T => {
    const word = words.find((each) => each === text);
    if (word !== undefined) return word;
    throw new BadValue(`must be one of ${words.join(', ')}`);
  };

export const someOf =
  <T extends string>(words: readonly T[]) =>
  (text: string): readonly T[] =>
    readList(text).map((name) => {
      const word = words.find((each) => each === name);
      if (word !== undefined) return word;
      throw new BadValue(`must be of ${words.join(', ')}: "${name}" is neither`);
    });

export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new BadValue(`must be a whole number from ${min} to ${max}`);
  };

/** `word` stands for none. */
export const numberOr =
  (word: string, min: number, max: number) =>
  (text: string): number | undefined =>
    text === word ? undefined : wholeNumber(min, max)(text);

export const readPort = wholeNumber(0, 65_535);

/** Whole seconds, as milliseconds. */
export const secondsAsMs =
  (min: number, max: number) =>
  (text: string): number =>
    wholeNumber(min, max)(text) * 1000;

export const readList = (text: string): readonly string[] => text.split(',').map((each) => each.trim());

/** `none` is an empty list. */
export const listLike =
  (pattern: RegExp, reason: string) =>
  (text: string): readonly string[] => {
    const list = text === 'none' ? [] : readList(text);
    const bad = list.find((each) => !pattern.test(each));
    if (bad === undefined) return list;
    throw new BadValue(`${reason}: "${bad}" is not`);
  };

/** Host names in lower case, without a dot in front. */
export function readSuffixes(text: string): readonly string[] {
  const suffixes = readList(text).map((each) => each.toLowerCase().replace(/^\./, ''));
  const bad = suffixes.find(
    (each) => !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(each),
  );
  if (bad === undefined) return suffixes;
  throw new BadValue(`must be host names such as sip.example.com: "${bad}" is none`);
}

export function readAddress(text: string): string {
  if (isIP(text) !== 0) return text;
  throw new BadValue(`must be an IP address: "${text}" is none`);
}

/** One address of IPv4, or of IPv6, or one of each. */
export function readOfEachKind(text: string): readonly string[] {
  const addresses = readList(text).map(readAddress);
  if (new Set(addresses.map(isIP)).size === addresses.length) return addresses;
  throw new BadValue('must be one IPv4 address, one IPv6 address, or one of each');
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A bridged call takes four ports. */
const MIN_RTP_PORTS = 4;

export function readPortRange(text: string): PortRange {
  const [, first = '', last = ''] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  const isUsable =
    range.first >= 1024 && range.last <= 65_535 && range.last - range.first + 1 >= MIN_RTP_PORTS;
  if (first !== '' && isUsable) return range;
  throw new BadValue(`must be ${MIN_RTP_PORTS} ports or more between 1024 and 65535, such as 20000-29999`);
}

export function readBaseUrl(text: string): string {
  const url = URL.parse(text);
  const isBase =
    url && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === '';
  if (isBase) return text.replace(/\/+$/, '');
  throw new BadValue('must be an http or https URL such as https://tandem.example.com');
}

/** Its credentials and query may be secrets: never repeated in a message. */
export function readHttpUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return url.href;
  throw new BadValue('must be an http or https URL such as https://names.example.com/cnam');
}

/** Its password makes it a secret: never repeated in a message. */
export function readDatabase(text: string): string {
  const url = URL.parse(text);
  const isDatabase =
    url && /^postgres(ql)?:$/.test(url.protocol) && url.host !== '' && url.pathname.length > 1;
  if (isDatabase) return text;
  throw new BadValue('must be a URL such as postgres://user:password@127.0.0.1:5432/tandem');
}

export function readNetworks(text: string): readonly string[] {
  const nets = text === 'none' ? [] : readList(text);
  try {
    allowNetworks(nets);
  } catch (error) {
    throw new BadValue(`must be a list of networks: ${(error as Error).message}`);
  }
  return nets;
}
