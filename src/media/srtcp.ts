// SRTCP (RFC 3711 §3.4): the report's bytes after the sender's SSRC are encrypted, an index and a tag follow.
//
//   | header, SSRC (8) | encrypted … | E | index (31) | tag (80) |
import { ReplayWindow } from './srtp.ts';
import { RTCP_TAG_BYTES, type SessionKeys, sameTag, sessionKeys, writeTag } from './srtp-keys.ts';

const PLAIN_BYTES = 8;
const INDEX_BYTES = 4;
const ENCRYPTED = 0x80000000;

export class SrtcpSender {
  readonly #keys: SessionKeys;
  #index = 0;

  constructor(masterKey: Uint8Array) {
    this.#keys = sessionKeys(masterKey, 'rtcp');
  }

  protect(packet: Buffer): Buffer {
    const end = packet.length;
    const out = Buffer.alloc(end + INDEX_BYTES + RTCP_TAG_BYTES);
    packet.copy(out);
    this.#index = (this.#index + 1) % ENCRYPTED;
    this.#keys.cipher.apply(out, { start: PLAIN_BYTES, end }, out.readUInt32BE(4), this.#index);
    out.writeUInt32BE((ENCRYPTED + this.#index) >>> 0, end);
    writeTag(this.#keys.hmac.of(out, end + INDEX_BYTES), out, end + INDEX_BYTES, RTCP_TAG_BYTES);
    return out;
  }
}

export class SrtcpReceiver {
  readonly #keys: SessionKeys;
  readonly #seen = new ReplayWindow();

  constructor(masterKey: Uint8Array) {
    this.#keys = sessionKeys(masterKey, 'rtcp');
  }

  /** The plain packet, in the same memory; undefined for one that is not authentic or was here before. */
  unprotect(packet: Buffer): Buffer | undefined {
    const tagAt = packet.length - RTCP_TAG_BYTES;
    const end = tagAt - INDEX_BYTES;
    if (end < PLAIN_BYTES) return undefined;
    const word = packet.readUInt32BE(end);
    const index = word & 0x7fffffff;
    if (this.#seen.has(index)) return undefined;
    if (!sameTag(this.#keys.hmac.of(packet, tagAt), packet, tagAt, RTCP_TAG_BYTES)) return undefined;
    this.#seen.add(index);
    if (word >= ENCRYPTED)
      this.#keys.cipher.apply(packet, { start: PLAIN_BYTES, end }, packet.readUInt32BE(4), index);
    return packet.subarray(0, end);
  }
}
