// Runs baresip, a phone without a screen: it registers, calls, answers, and does what its commands say.
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TransportName } from '../../src/sip/index.ts';
import { certificateFor } from '../support/certificates.ts';
import { toneWav } from '../support/tone-wav.ts';
import { bound, freePort, isInstalled, type Program, startProgram } from './program.ts';

export const hasBaresip = isInstalled('baresip', 'baresip-core');

export interface BaresipOptions {
  /** Port of 127.0.0.1 that it registers at, and that its calls go by. */
  readonly registrar: number;
  readonly transport: TransportName;
  readonly password: string;
  /** In PEM: what it trusts. */
  readonly ca: string;
  /** In PEM: what it shows over TLS; one that nobody knows without it. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** Its address is of this domain, and the registrar its outbound proxy; of the registrar itself without it. */
  readonly domain?: string;
  /** User of its address; `phone` without it. */
  readonly user?: string;
  /** What it authenticates as; `phone` without it. */
  readonly authUser?: string;
  /** Seconds it asks to be registered for, 0 for not at all; 60 without it. */
  readonly intervalS?: number;
  /** It offers SRTP, and takes nothing else. */
  readonly srtp?: boolean;
  /** Folder in which it leaves what it hears, as `…-dec.wav`. */
  readonly recordings?: string;
}

export interface Baresip extends Program {
  /** Where calls to it go. */
  readonly ports: Readonly<Record<TransportName, number>>;
  /** Does one of its commands; resolves when it says that it has. */
  command(command: string, params?: string): Promise<void>;
}

const MODULES = ['g711', 'aufile', 'aubridge', 'uuid'];
/** Those that open no socket before all are loaded. */
const APPLICATIONS = ['account', 'contact', 'menu', 'ctrl_tcp'];
/** Outside the range that the system gives out, and each test process's own. */
const FIRST_RTP_PORT = 11_000 + (process.pid % 180) * 50;
const RTP_PORTS = `${FIRST_RTP_PORT}-${FIRST_RTP_PORT + 48}`;
/** A call would end with the file that it plays. */
const TONE_SECONDS = 60;

/** Starts it, as user `phone` unless told otherwise; its registration, if any, takes the digest of `password`. */
export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const [port, control] = [freePort(), freePort()];
  const program = startProgram('baresip', (folder) => {
    write(folder, { port, control, options });
    return ['-f', folder, '-v', '-t', '120'];
  });
  try {
    await bound(control, 'tcp');
  } catch (error) {
    await program.stop();
    throw new Error(program.output(), { cause: error });
  }
  const commands = new Commands(connect(control, '127.0.0.1'));
  return {
    ...program,
    ports: { udp: port, tcp: port, tls: port + 1 },
    command: (command, params = '') => commands.send(command, params),
    stop: async () => {
      commands.close();
      await program.stop();
    },
  };
}

interface Setting {
  readonly port: number;
  readonly control: number;
  readonly options: BaresipOptions;
}

function write(folder: string, { port, control, options }: Setting): void {
  const { registrar, transport, password, ca, domain, intervalS = 60, srtp, recordings } = options;
  const { user = 'phone', authUser = 'phone' } = options;
  const { cert, key } = options.certificate ?? certificateFor('127.0.0.1');
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  mkdirSync(folder, { recursive: true });
  const lines = [
    'module_path /usr/lib/baresip/modules',
    `sip_listen 127.0.0.1:${port}`,
    `sip_certificate ${file('certificate.pem', cert + key)}`,
    `sip_cafile ${file('ca.pem', ca)}`,
    'net_interface 127.0.0.1',
    `rtp_ports ${RTP_PORTS}`,
    `audio_source aufile,${file('tone.wav', toneWav(440, TONE_SECONDS))}`,
    'audio_player aubridge,heard',
    'ausrc_srate 8000',
    'auplay_srate 8000',
    ...MODULES.map((name) => `module ${name}.so`),
    ...(srtp ? ['module srtp.so'] : []),
    ...(recordings === undefined ? [] : ['module sndfile.so', `snd_path ${recordings}`]),
    ...APPLICATIONS.map((name) => `module_app ${name}.so`),
    `ctrl_tcp_listen 127.0.0.1:${control}`,
  ];
  file('config', `${lines.join('\n')}\n`);
  file('contacts', '');
  const place = `127.0.0.1:${registrar}`;
  const proxy = domain === undefined ? '' : `;outbound="sip:${place};transport=${transport}"`;
  const parameters = `auth_user=${authUser};auth_pass=${password};regint=${intervalS};answermode=auto${proxy}${srtp ? ';mediaenc=srtp-mand' : ''}`;
  file('accounts', `<sip:${user}@${domain ?? place};transport=${transport}>;${parameters}\n`);
}

/** Netstrings of JSON over TCP, one answered after the other. */
class Commands {
  readonly #socket: Socket;
  readonly #waiting = new Map<string, (answer: { ok: boolean; data: string }) => void>();
  #received = '';
  #next = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk.toString('latin1')));
    socket.on('error', () => {});
  }

  async send(command: string, params: string): Promise<void> {
    const token = String(this.#next++);
    const text = JSON.stringify({ command, params, token });
    const answer = new Promise<{ ok: boolean; data: string }>((resolve) => this.#waiting.set(token, resolve));
    this.#socket.write(`${text.length}:${text},`);
    const { ok, data } = await answer;
    if (!ok) throw new Error(`baresip does not ${command}: ${data}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#received += chunk;
    for (;;) {
      const [head = '', length = ''] = /^(\d+):/.exec(this.#received) ?? [];
      const end = head.length + Number(length);
      if (head === '' || this.#received.length <= end) return;
      const message = JSON.parse(this.#received.slice(head.length, end)) as { token?: string };
      this.#received = this.#received.slice(end + 1);
      // Events come by the same way.
      this.#waiting.get(message.token ?? '')?.(message as { ok: boolean; data: string });
      this.#waiting.delete(message.token ?? '');
    }
  }
}
