// The dialogs of calls that are up, as rows: what a BYE needs that another run sends when this one is no more.
import type { DialogIdentity, Endpoint } from '../sip/index.ts';
import type { Engine, SqlRow } from './engine.ts';
import { unheldBy } from './outbox.ts';
import type { Columns } from './statements.ts';
import type { LiveDialog } from './store.ts';

export const LIVE_DIALOGS = 'live_dialogs';

/** @param node the run that the dialog is on. */
export function dialogColumns({ callSid, identity }: LiveDialog, node: string): Columns {
  const { peer } = identity;
  return {
    local_tag: identity.localTag,
    call_sid: callSid,
    node,
    sip_call_id: identity.callId,
    remote_tag: identity.remoteTag,
    local: identity.local,
    remote: identity.remote,
    remote_target: identity.remoteTarget,
    route_set: JSON.stringify(identity.routeSet),
    local_seq: identity.localSeq,
    transport: peer.transport,
    own_address: peer.local ?? null,
    peer_address: peer.address,
    peer_port: peer.port,
    peer_host: peer.host ?? null,
    peer_insecure: peer.insecure ? 1 : 0,
  };
}

/** Takes the dialogs that no node that lives holds. */
export async function claimLostDialogs(given: {
  readonly engine: Engine;
  readonly node: string;
}): Promise<readonly LiveDialog[]> {
  const { engine, node } = given;
  const claim = engine.db.updateTable(LIVE_DIALOGS).set({ node }).where(unheldBy(given));
  const rows: readonly SqlRow[] = await claim.returningAll().execute();
  return rows.map((row) => ({ callSid: String(row.call_sid), identity: identityOf(row) }));
}

function identityOf(row: SqlRow): DialogIdentity {
  return {
    callId: String(row.sip_call_id),
    localTag: String(row.local_tag),
    remoteTag: String(row.remote_tag),
    local: String(row.local),
    remote: String(row.remote),
    remoteTarget: String(row.remote_target),
    routeSet: JSON.parse(String(row.route_set)) as readonly string[],
    localSeq: Number(row.local_seq),
    peer: {
      transport: row.transport as Endpoint['transport'],
      address: String(row.peer_address),
      port: Number(row.peer_port),
      ...(row.own_address !== null && { local: String(row.own_address) }),
      ...(row.peer_host !== null && { host: String(row.peer_host) }),
      ...(Number(row.peer_insecure) === 1 && { insecure: true }),
    },
  };
}
