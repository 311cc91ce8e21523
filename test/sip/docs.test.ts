// The examples of docs/sip.md, cut out of the page and run.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { headerOf, startSipPeer } from '../support/sip-peer.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'tandem-docs-'));
const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill();
});
afterAll(() => rmSync(folder, { recursive: true }));

const examples = new Map(
  [...readFileSync(join(ROOT, 'docs/sip.md'), 'utf8').matchAll(/^```ts (\w+)\n(.*?)^```$/gms)].map(
    ([, name = '', code = '']) => [name, code],
  ),
);

interface Running {
  /** Resolves when it has printed this. */
  printed(text: string): Promise<void>;
  readonly exit: Promise<number | null>;
}

function run(name: string, port: number): Running {
  const file = join(folder, `${name}.ts`);
  const code = (examples.get(name) ?? '').replaceAll(`'./src/`, `'${pathToFileURL(ROOT).href}/src/`);
  writeFileSync(file, code);
  const child = spawn(process.execPath, [file, String(port)]);
  running.push(child);
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
      for (const look of waiting) look();
    });
  }
  return {
    exit: new Promise((done) => child.once('exit', done)),
    printed: (text) =>
      new Promise((done, refuse) => {
        const look = (): void => (output.includes(text) ? done() : undefined);
        waiting.add(look);
        child.once('exit', () => (output.includes(text) ? done() : refuse(new Error(`${name}: ${output}`))));
        look();
      }),
  };
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const peer = await startSipPeer();
  await peer.close();
  return Number(peer.uri.split(':')[2]);
}

describe('docs/sip.md', () => {
  it('has three examples', () => {
    expect([...examples.keys()]).toEqual(['answer', 'call', 'registrar']);
    const registrar = (examples.get('registrar') ?? '')
      .split('\n')
      .filter((line) => /^(agent\.on| {2})/.test(line));
    expect(registrar.length).toBeLessThanOrEqual(10);
  });

  it('one example calls the other', async () => {
    const port = await freePort();
    const answering = run('answer', port);
    await answering.printed('listening');
    const calling = run('call', port);
    await answering.printed('call from <sip:alice@127.0.0.1>');
    await calling.printed('answered');
    await answering.printed('ended by remote');
    expect(await calling.exit).toBe(0);
  });

  it('the registrar sends callers where the phone is', async () => {
    const port = await freePort();
    const registrar = run('registrar', port);
    await registrar.printed('listening');
    const phone = await startSipPeer();
    const ask = (method: string): void =>
      phone.send(
        `${method} sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK${method}\r\nMax-Forwards: 70\r\n` +
          `From: <sip:bob@127.0.0.1>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: ${method}\r\nCSeq: 1 ${method}\r\n` +
          `Contact: <${phone.uri}>\r\nContent-Length: 0\r\n\r\n`,
        { address: '127.0.0.1', port },
      );
    ask('REGISTER');
    expect(headerOf(await phone.next('200'), 'Contact')).toBe(`<${phone.uri}>;expires=3600`);
    ask('INVITE');
    expect(headerOf(await phone.next('302'), 'Contact')).toBe(`<${phone.uri}>`);
    await phone.close();
  });
});
