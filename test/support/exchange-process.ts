// An exchange in a process of its own, as `tandem serve` starts it: to be killed, or stopped and woken.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Twilio } from 'twilio';
import type { Endpoint } from '../../src/sip/index.ts';
import { basic, twilioClient } from './twilio-client.ts';

export const ACCOUNT = { sid: `AC${'7'.repeat(32)}`, token: 'a-token-for-killing' };
const MAIN = join(import.meta.dirname, '../../src/main.ts');

export interface ExchangeProcessOptions {
  /** Data folder. */
  readonly folder: string;
  /** PostgreSQL in place of SQLite in the folder. */
  readonly database?: string | undefined;
  /** `TANDEM_` variables on top of free ports and this account. */
  readonly settings?: Readonly<Record<string, string>>;
}

export class ExchangeProcess {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #http = '';
  #sip = '';

  private constructor({ folder, database, settings }: ExchangeProcessOptions) {
    this.#process = spawn(process.execPath, [MAIN, 'serve'], {
      env: {
        PATH: process.env.PATH,
        TANDEM_DATA: folder,
        ...(database !== undefined && { TANDEM_DATABASE: database }),
        TANDEM_HTTP_PORT: '0',
        TANDEM_SIP_PORT: '0',
        TANDEM_HEALTH_INTERVAL_S: '0',
        TANDEM_ACCOUNT_SID: ACCOUNT.sid,
        TANDEM_AUTH_TOKEN: ACCOUNT.token,
        TANDEM_LOG_LEVEL: 'error',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#exited = once(this.#process, 'exit');
  }

  /** Resolves when it is ready. */
  static async start(options: ExchangeProcessOptions): Promise<ExchangeProcess> {
    const started = new ExchangeProcess(options);
    const lines = createInterface({ input: started.#process.stdout as NodeJS.ReadableStream });
    const [line] = (await Promise.race([
      once(lines, 'line'),
      started.#exited.then(() => Promise.reject(new Error('the exchange did not start'))),
    ])) as [string];
    const ready = JSON.parse(line) as { http: string; sip: string };
    started.#http = ready.http;
    started.#sip = ready.sip;
    return started;
  }

  get client(): Twilio {
    return twilioClient(this.#http, ACCOUNT.sid, ACCOUNT.token);
  }

  /** Where it listens for SIP over UDP. */
  get listener(): Endpoint {
    const [address = '', port] = this.#sip.split(':');
    return { transport: 'udp', address, port: Number(port) };
  }

  /** kill -9; resolves when it is gone, also where it was before. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM; resolves when it has closed everything and is gone. */
  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#exited;
  }

  /** It stands still until it is woken. */
  pause(): void {
    this.#process.kill('SIGSTOP');
  }

  wake(): void {
    this.#process.kill('SIGCONT');
  }

  /** A number of `/metrics`. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.#http}/metrics`)).text();
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  }

  /** A GET, or a POST where there is a form. @throws {Error} with the status in its text for 300 and above. */
  async ask(path: string, form?: readonly (readonly [string, string])[]): Promise<Record<string, unknown>> {
    const response = await fetch(this.#http + path, {
      headers: { authorization: basic(ACCOUNT.sid, ACCOUNT.token) },
      ...(form && {
        method: 'POST',
        body: new URLSearchParams(form.map(([name, value]): [string, string] => [name, value])),
      }),
    });
    const body = (await response.json()) as Record<string, unknown>;
    if (response.status >= 300) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`);
    return body;
  }
}
