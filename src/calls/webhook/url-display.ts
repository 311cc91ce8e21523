// URLs as logs and traces may show them.

/** The URL without user info and query, which may carry credentials. */
export function withoutSecrets(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.origin}${parsed.pathname}` : '(not a URL)';
}
