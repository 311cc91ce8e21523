// Encrypts secrets before they are stored: AES-256-GCM under the key of the installation.
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import type { Random } from '../lib/random.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Marks what is encrypted, and how; no URL begins like this. */
const PREFIX = 'enc1:';

export interface Cipher {
  /** Text → `enc1:` and base64 of nonce, tag and ciphertext. */
  seal(text: string): string;
  /** The text again. @throws {Error} when it was sealed under another key or has been altered. */
  open(sealed: string): string;
}

export const isSealed = (text: string): boolean => text.startsWith(PREFIX);

/** `key` has 32 bytes. */
export function createCipher(key: Uint8Array, random: Random): Cipher {
  // A raw key would be imported anew with every call, which is slow on Node 24.
  const secret = createSecretKey(key);
  return {
    seal(text) {
      const nonce = Buffer.from(random.hex(NONCE_BYTES), 'hex');
      const cipher = createCipheriv('aes-256-gcm', secret, nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return PREFIX + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed) {
      const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64');
      const body = NONCE_BYTES + TAG_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, body));
      return decipher.update(bytes.subarray(body), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}
