import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from './child.ts'
import { freePort } from './ports.ts'

export interface KamailioOptions {
  /** `HOST:PORT` of the gateway. */
  readonly gateway: string
  /** Where it is the proxy between the tenant's phones and the gateway. */
  readonly edge: { readonly host: string; readonly port: number }
  /** Where it is a carrier with one subscriber, who answers to every number. */
  readonly carrier: {
    readonly host: string
    readonly port: number
    readonly realm: string
    readonly subscriber: string
    readonly password: string
  }
}

/** A real Kamailio, as a proxy that stays in the way by Path and Record-Route, and as a carrier that challenges. */
export async function startKamailio(options: KamailioOptions): Promise<Child> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-kamailio-'))
  const file = join(folder, 'kamailio.cfg')
  await writeFile(file, configFile(options))
  // -DD: stay in the foreground, but fork the workers. -Y: control sockets go there, not to /run.
  const child = startChild('kamailio', ['-DD', '-E', '-f', file, '-w', folder, '-Y', folder, '-m', '64'])
  await child.sees(/kamailio is up/, 20_000)
  return {
    ...child,
    async stop(signal) {
      await child.stop(signal)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Where a Kamailio of a test may listen. */
export async function kamailioPlaces(): Promise<Pick<KamailioOptions, 'edge'> & { carrierPort: number }> {
  return { edge: { host: '127.0.0.1', port: await freePort('127.0.0.1') }, carrierPort: await freePort('127.0.0.1') }
}

function configFile({ gateway, edge, carrier }: KamailioOptions): string {
  return `#!KAMAILIO
debug=-1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:${edge.host}:${edge.port}
listen=udp:${carrier.host}:${carrier.port}
${MODULES.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc", "db_mode", 0)
modparam("rr", "append_fromtag", 1)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (!sanity_check()) exit;
  force_rport();
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route() || (is_method("ACK") && t_check_trans())) t_relay();
    else if (!is_method("ACK")) sl_send_reply("404", "Not Here");
    exit;
  }
  t_check_trans();
  if (!is_method("INVITE|REGISTER")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  if ($Rp == ${carrier.port}) route(CARRIER);
  else route(EDGE);
}

# Between the phones and the gateway: both directions pass here, also later requests.
route[EDGE] {
  if (is_method("REGISTER")) add_path();
  else record_route();
  if ($sp == ${portOf(gateway)}) loose_route();
  else $du = "sip:${gateway}";
  t_relay();
  exit;
}

route[CARRIER] {
  if (is_method("REGISTER")) { save("location"); exit; }
  if ($sp == ${portOf(gateway)}) {
    if (!pv_proxy_authenticate("${carrier.realm}", "${carrier.password}", "0")) {
      proxy_challenge("${carrier.realm}", "1");
      exit;
    }
    consume_credentials();
    if (!lookup("location", "sip:${carrier.subscriber}@${carrier.realm}")) { sl_send_reply("480", "Gone"); exit; }
  } else {
    $du = "sip:${gateway}";
  }
  record_route();
  t_relay();
  exit;
}

event_route[core:worker-one-init] {
  xlog("L_ALERT", "kamailio is up\\n");
}
`
}

function portOf(hostPort: string): string {
  return hostPort.slice(hostPort.lastIndexOf(':') + 1)
}

const MODULES = [
  ...['sl', 'tm', 'rr', 'pv', 'maxfwd', 'textops', 'siputils', 'sanity', 'path'],
  ...['usrloc', 'registrar', 'auth', 'xlog'],
]
