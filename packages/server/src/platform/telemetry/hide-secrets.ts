const HIDDEN = '[hidden]';
/** Compared without dashes and underscores, in lower case; a name that contains one of these is hidden whole. */
const SECRET_NAME =
  /authorization|cookie|password|passphrase|token|secret|apikey|privatekey|privatejwk|credential|connectionstring|otpcode|recoverycode|csrf/;
const DEPTH_MAX = 12;
const TEXT_LENGTH_MAX = 16_384;

/** A copy of something to log without what is secret in it: by the names of fields at any depth, and inside texts. */
export function hideSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return hideInText(value);
  if (typeof value !== 'object' || value === null || value instanceof Error || value instanceof Date) return value;
  if (depth >= DEPTH_MAX) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => hideSecrets(item, depth + 1));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const shown: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    shown[name] = isSecretName(name) && !isHarmless(field) ? HIDDEN : hideSecrets(field, depth + 1);
  }
  return shown;
}

/** Texts hold secrets as parameters of an address, as its user and password, and as credentials of a scheme. */
export function hideInText(text: string): string {
  return text
    .slice(0, TEXT_LENGTH_MAX)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*(?::[^\s/@]*)?@/gi, `$1${HIDDEN}@`)
    .replace(
      /([?&;]|\b)((?:[\w-]*(?:api[_-]?key|token|password|secret)[\w-]*|code|state|otp|signature|sig))=([^\s&#"',;]+)/gi,
      (whole, before: string, name: string) =>
        /[?&;]/.test(before) || !/^(?:code|state)$/i.test(name) ? `${before}${name}=${HIDDEN}` : whole,
    )
    .replace(/\b(Bearer|Basic|apikey)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`);
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.replace(/[-_]/g, '').toLowerCase());
}

/** Numbers and flags about secrets tell nothing: `tokenCount`, `hasPassword`. */
function isHarmless(field: unknown): boolean {
  return field === null || field === undefined || typeof field === 'number' || typeof field === 'boolean';
}
