// docs/sdk.md, cut out of the page and run: every way that leads Twilio's Node client to Tandem, HTTPS included.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Exchange, startExchange } from '../support/exchange.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/sdk.md'), 'utf8');
const TWILIO = pathToFileURL(join(ROOT, 'node_modules/twilio/index.js')).href;

const examples = new Map(
  [...PAGE.matchAll(/^```js ([\w-]+)\n(.*?)^```$/gms)].map(([, name = '', code = '']) => [name, code]),
);

/** Leads Twilio's hosts to the port on this machine, as /etc/hosts and port 443 would: no test may touch those. */
const DNS = `
import { Socket } from 'node:net';
const { connect } = Socket.prototype;
Socket.prototype.connect = function (options, ...rest) {
  const isTwilio = options.port === 443 && /^(api|voice|trunking)[.]twilio[.]com$/.test(options.host);
  const place = isTwilio ? { ...options, host: '127.0.0.1', port: Number(process.env.STAND_IN_PORT) } : options;
  return connect.call(this, place, ...rest);
};
`;

interface Program {
  readonly child: ChildProcess;
  /** Resolves with the first line it prints. @throws {Error} with what it said on stderr when it ends without. */
  line(): Promise<string>;
}

type Variables = Readonly<Record<string, string | undefined>>;

function run(name: string, environment: Variables, options: readonly string[] = []): Program {
  const file = join(tempFolder(), `${name}.mjs`);
  const code = examples.get(name);
  if (code === undefined) throw new Error(`docs/sdk.md has no example ${name}`);
  writeFileSync(file, code.replace(`'twilio'`, `'${TWILIO}'`));
  const env = { PATH: process.env.PATH, ...environment };
  const child = spawn(process.execPath, [...options, file], { env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  const printed = Promise.withResolvers<string>();
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if (out.includes('\n')) printed.resolve(out.trim());
  });
  child.stderr.on('data', (chunk) => (err += chunk));
  child.once('close', () => printed.reject(new Error(`${name} printed nothing: ${err}`)));
  printed.promise.catch(() => {});
  return { child, line: () => printed.promise };
}

let exchange: Exchange;
let ca: string;
let credentials: Variables;

beforeEach(async () => {
  const folder = tempFolder();
  exchange = await startExchange({ TANDEM_HTTPS_PORT: '0', TANDEM_DATA: folder });
  onTestFinished(() => exchange.stop());
  ca = join(folder, 'tls/cert.pem');
  const { accountSid, authToken } = exchange.account;
  credentials = { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken };
});

/** The policy that the example has made, as another client finds it. */
async function made(): Promise<string | undefined> {
  const [policy] = await exchange.client.voice.v1.connectionPolicies.list();
  return policy?.friendlyName === 'carriers' ? policy.sid : undefined;
}

const portOf = (url: string | undefined): string => new URL(url ?? '').port;

describe('docs/sdk.md leads Twilio’s Node client here', () => {
  it('by an httpClient', async () => {
    const url = await run('http-client', { ...credentials, TANDEM_URL: exchange.tandem.http }).line();
    expect(url).toBe(`${exchange.tandem.http}/v1/ConnectionPolicies/${await made()}`);
  });

  it('by an httpClient over HTTPS, which finds the CA or is given it', async () => {
    const { https } = exchange.tandem;
    const environment = { ...credentials, TANDEM_URL: https };
    const found = await run('http-client', { ...environment, TWILIO_CA_BUNDLE: ca }).line();
    expect(found).toBe(`${https}/v1/ConnectionPolicies/${await made()}`);

    const [, given = ''] = /`new TandemClient\((\{ ca: .+?)\)`/.exec(PAGE) ?? [];
    const code = `import { readFileSync } from 'node:fs';\n${examples.get('http-client')}`
      .replace('new TandemClient()', `new TandemClient(${given})`)
      .replace(`'data/tls/cert.pem'`, `'${ca}'`);
    examples.set('http-client-with-ca', code);
    expect(await run('http-client-with-ca', environment).line()).toMatch(`${https}/v1/ConnectionPolicies/NY`);
    await expect(run('http-client', environment).line()).rejects.toThrow('self-signed certificate');
  });

  it('by DNS and a CA, the program unchanged', async () => {
    const hosts = join(tempFolder(), 'dns.mjs');
    writeFileSync(hosts, DNS);
    const environment = { ...credentials, STAND_IN_PORT: portOf(exchange.tandem.https) };
    const options = ['--import', pathToFileURL(hosts).href];
    for (const variable of ['TWILIO_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS']) {
      const url = await run('unchanged', { ...environment, [variable]: ca }, options).line();
      expect(url).toMatch(/^https:\/\/voice\.twilio\.com\/v1\/ConnectionPolicies\/NY/);
    }
    expect(await made()).toBeDefined();
    await expect(run('unchanged', environment, options).line()).rejects.toThrow('self-signed certificate');
  });

  it('by a proxy, the program unchanged', async () => {
    const TANDEM_HTTPS = new URL(exchange.tandem.https ?? '').host;
    const port = await run('proxy', { TANDEM_HTTPS, PORT: '0' }).line();
    const HTTP_PROXY = `http://127.0.0.1:${port}`;
    const url = await run('unchanged', { ...credentials, HTTP_PROXY, NODE_EXTRA_CA_CERTS: ca }).line();
    expect(url).toBe(`https://voice.twilio.com/v1/ConnectionPolicies/${await made()}`);
    const distrusting = run('unchanged', { ...credentials, HTTP_PROXY, TWILIO_CA_BUNDLE: ca });
    await expect(distrusting.line()).rejects.toThrow('self-signed certificate');
  });
});
