// Runs Kamailio: a proxy that stays on the path of every call, a registrar, and a client that answers challenges.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TransportName } from '../../src/sip/index.ts';
import { certificateFor } from '../support/certificates.ts';
import { bound, freePort, isInstalled, type Program, startProgram } from './program.ts';

export const hasKamailio = isInstalled('kamailio', 'kamailio kamailio-tls-modules');

export interface Kamailio extends Program {
  readonly ports: Readonly<Record<TransportName, number>>;
}

export interface KamailioOptions {
  /** Of the digests that it asks for. */
  readonly algorithm?: 'MD5' | 'SHA-256';
  /** Who may register, or has calls challenged where `realm` is; who answers challenges of the callee. */
  readonly user?: { readonly name: string; readonly password: string; readonly realm: string };
  /** `registrar` keeps bindings and sends calls there; `client` answers the callee's challenges itself. */
  readonly role?: 'proxy' | 'registrar' | 'client';
}

const NOBODY = { name: 'nobody', password: 'x', realm: 'x' };

/** Every request inside a dialog must have come with a Route: what has none is refused. */
const PROXY = `
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (has_totag()) {
    if (loose_route()) {
      if (!is_method("ACK")) xlog("L_ERR", "LOOSE $rm\\n"); else xlog("L_ERR", "LOOSE ACK\\n");
      t_relay();
      exit;
    }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "No Route");
    exit;
  }
  if (is_method("CANCEL")) { if (t_check_trans()) { xlog("L_ERR", "CANCEL\\n"); t_relay(); } exit; }
  t_check_trans();
  if (is_method("INVITE")) record_route();
  route(OUT);
}`;

const ROUTES = {
  proxy: `
route[OUT] { t_relay(); }`,
  registrar: `
route[OUT] {
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("REALM", "PASSWORD", "0")) { www_challenge("REALM", "1"); exit; }
    save("location");
    exit;
  }
  if (is_method("INVITE")) {
    if (!pv_proxy_authenticate("REALM", "PASSWORD", "0")) { proxy_challenge("REALM", "1"); exit; }
    consume_credentials();
    if (!lookup("location")) { sl_send_reply("404", "Nobody there"); exit; }
  }
  t_relay();
}`,
  client: `
route[OUT] { t_on_failure("CHALLENGED"); t_relay(); }
failure_route[CHALLENGED] {
  if (t_check_status("401|407") && uac_auth()) t_relay();
}`,
} as const;

const MODULES = 'tm sl pv rr maxfwd textops siputils xlog tls auth usrloc registrar uac'.split(' ');

export async function startKamailio(options: KamailioOptions = {}): Promise<Kamailio> {
  const [plain, secure] = [freePort(), freePort()];
  const program = startProgram('kamailio', (folder) => {
    const { cert, key } = certificateFor('127.0.0.1');
    const files = {
      cert: join(folder, 'cert.pem'),
      key: join(folder, 'key.pem'),
      config: join(folder, 'k.cfg'),
    };
    writeFileSync(files.cert, cert);
    writeFileSync(files.key, key);
    writeFileSync(files.config, configuration({ plain, secure, files, options }));
    return ['-f', files.config, '-Y', folder, '-DD', '-E', '-m', '32', '-M', '4'];
  });
  try {
    await Promise.race([
      Promise.all([bound(plain, 'udp'), bound(plain, 'tcp'), bound(secure, 'tcp')]),
      program.exit.then((code) => {
        throw new Error(`Kamailio ended by ${code}:\n${program.output()}`);
      }),
    ]);
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { ...program, ports: { udp: plain, tcp: plain, tls: secure } };
}

interface Configuration {
  readonly plain: number;
  readonly secure: number;
  readonly files: { readonly cert: string; readonly key: string };
  readonly options: KamailioOptions;
}

function configuration({ plain, secure, files, options }: Configuration): string {
  const { algorithm = 'MD5', role = 'proxy', user = NOBODY } = options;
  const route = ROUTES[role].replaceAll('REALM', user.realm).replaceAll('PASSWORD', user.password);
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=1
enable_tls=yes
tcp_accept_no_cl=no
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:${plain}
listen=tcp:127.0.0.1:${plain}
listen=tls:127.0.0.1:${secure}
${MODULES.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "${files.cert}")
modparam("tls", "private_key", "${files.key}")
modparam("rr", "enable_double_rr", 1)
modparam("tm", "failure_reply_mode", 3)
modparam("auth", "algorithm", "${algorithm === 'MD5' ? '' : algorithm}")
modparam("usrloc", "db_mode", 0)
modparam("uac", "credential", "${user.name}:${user.realm}:${user.password}")
modparam("uac", "restore_mode", "none")
${PROXY}
${route}
`;
}
