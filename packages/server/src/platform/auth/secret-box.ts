import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** What the installation's secret is used for; each use has a key of its own. */
export type SecretBox = {
  /** AES-256-GCM: 12 bytes nonce, 16 bytes tag, then the cipher text. */
  encrypt(use: SealUse, plain: Buffer): Buffer;
  /** @throws if the bytes were changed, or were written with another secret or for another use. */
  decrypt(use: SealUse, sealed: Buffer): Buffer;
  /** A keyed hash, 32 bytes: equal texts can be found by it, and guessed by nobody without the secret. */
  mac(use: MacUse, text: string): Buffer;
  /** The CSRF token of a session. */
  csrfTokenOf(family: string): string;
  isCsrfTokenOf(family: string, token: unknown): boolean;
  /** The refresh token that follows another one. The same one every time, so that a repeated request forks nothing. */
  successorOf(secretPart: string): string;
};

export type SealUse = 'signing keys' | 'second factor' | 'provider sign-in' | 'vendor keys';
export type MacUse = 'challenge' | 'recovery code' | 'provider subject' | 'address';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function createSecretBox(secret: string): SecretBox {
  const keyFor = (use: string) => Buffer.from(hkdfSync('sha256', secret, 'touchstone', use, 32));
  const sealKeys: Record<SealUse, Buffer> = {
    'signing keys': keyFor('signing keys'),
    'second factor': keyFor('second factor'),
    'provider sign-in': keyFor('provider sign-in'),
    'vendor keys': keyFor('vendor keys'),
  };
  const macKeys: Record<MacUse, Buffer> = {
    challenge: keyFor('challenge'),
    'recovery code': keyFor('recovery code'),
    'provider subject': keyFor('provider subject'),
    address: keyFor('address'),
  };
  const csrfKey = keyFor('csrf');
  const successorKey = keyFor('refresh token');
  const csrfTokenOf = (family: string) => createHmac('sha256', csrfKey).update(family).digest('base64url');
  return {
    encrypt(use, plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealKeys[use], nonce);
      const text = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]);
    },
    decrypt(use, sealed) {
      const decipher = createDecipheriv('aes-256-gcm', sealKeys[use], sealed.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    },
    mac: (use, text) => createHmac('sha256', macKeys[use]).update(text).digest(),
    csrfTokenOf,
    isCsrfTokenOf(family, token) {
      if (typeof token !== 'string') return false;
      const expected = Buffer.from(csrfTokenOf(family));
      const given = Buffer.from(token);
      return expected.length === given.length && timingSafeEqual(expected, given);
    },
    successorOf: (secretPart) => createHmac('sha256', successorKey).update(secretPart).digest('base64url'),
  };
}
