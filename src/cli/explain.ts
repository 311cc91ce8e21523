// Errors of a start, in one line that says what to do.

interface SystemError extends Error {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
  /** The variable that names the port, where the call does not tell. */
  readonly setting?: string;
}

/** What went wrong and how to mend it; a known system error is put in the words of our settings. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall, address, port, setting } = error as SystemError;
  const variable = setting ?? (syscall === 'listen' ? 'TANDEM_HTTP_PORT' : 'TANDEM_SIP_PORT');
  switch (code) {
    case 'EADDRINUSE':
      return `${address}:${port} is in use: stop what listens there, or set ${variable} to another port (0 picks a free one)`;
    case 'EACCES':
      return `${address}:${port} may not be listened on by this user: set ${variable} to a port above 1023`;
    case 'EADDRNOTAVAIL':
      return `${address} is no address of this machine: set ${variable.replace('PORT', 'HOST')} to one that is`;
    default:
      return error.message.split('\n', 1)[0] ?? error.name;
  }
}
