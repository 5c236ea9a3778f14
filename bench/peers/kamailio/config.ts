import type { Account } from '../model.ts'

export interface KamailioPorts {
  readonly sip: number
  readonly webSocket: number
  /** Of rtpengine's control protocol (UDP). */
  readonly control: number
}

/** A registrar and proxy for two accounts, SIP over UDP and WebSocket, media through rtpengine. */
export function kamailioConfig(ports: KamailioPorts, domain: string, accounts: readonly Account[]): string {
  return [head(ports, domain), parameters(ports, accounts), ROUTES].join('\n')
}

function head(ports: KamailioPorts, domain: string): string {
  return `#!KAMAILIO
debug=-1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
alias="${domain}"
listen=udp:127.0.0.1:${ports.sip}
listen=tcp:127.0.0.1:${ports.webSocket}
tcp_connection_lifetime=3605
tcp_accept_no_cl=yes
server_header="Server: kamailio"

${MODULES.map((name) => `loadmodule "${name}.so"`).join('\n')}`
}

const MODULES = [
  ...['sl', 'tm', 'rr', 'pv', 'maxfwd', 'textops', 'siputils', 'sanity', 'htable'],
  ...['usrloc', 'registrar', 'auth', 'nathelper', 'rtpengine', 'xhttp', 'websocket', 'xlog'],
]

function parameters(ports: KamailioPorts, accounts: readonly Account[]): string {
  return `
modparam("rr", "append_fromtag", 1)
modparam("usrloc", "db_mode", 0)
modparam("registrar", "received_avp", "$avp(received)")
modparam("nathelper", "received_avp", "$avp(received)")
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:${ports.control}")
modparam("htable", "htable", "accounts=>size=4;")

event_route[htable:mod-init] {
${accounts.map(({ user, password }) => `  $sht(accounts=>${user}) = "${password}";`).join('\n')}
}`
}

/** Printed once the workers run. */
export const KAMAILIO_IS_UP = 'kamailio is up'

/**
 * Towards a WebSocket the media is DTLS-SRTP with ICE, towards UDP plain RTP. A contact of a browser names no host that
 * exists (RFC 7118 §5.2.1), so it travels with an alias that says where the connection is.
 */
const ROUTES = `
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (!sanity_check()) exit;
  force_rport();
  if (is_method("REGISTER")) fix_nated_register();
  else if (is_method("INVITE|UPDATE")) add_contact_alias();

  if (is_method("CANCEL")) {
    if (t_check_trans()) { rtpengine_manage(); t_relay(); }
    exit;
  }
  if (has_totag()) {
    if (!loose_route()) {
      if (is_method("ACK") && t_check_trans()) t_relay();
      else if (!is_method("ACK")) sl_send_reply("404", "Not Here");
      exit;
    }
    handle_ruri_alias();
    if (is_method("BYE")) rtpengine_delete();
    if (is_method("INVITE|UPDATE")) route(MEDIA);
    t_relay();
    exit;
  }
  t_check_trans();
  if (is_method("OPTIONS") && uri == myself) { sl_send_reply("200", "OK"); exit; }
  route(AUTH);
  if (is_method("REGISTER")) { save("location"); exit; }
  if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  record_route();
  if (!lookup("location")) { sl_send_reply("480", "Temporarily Unavailable"); exit; }
  route(MEDIA);
  t_relay();
}

route[AUTH] {
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("$fd", "$sht(accounts=>$au)", "0")) { www_challenge("$fd", "1"); exit; }
  } else if (!pv_proxy_authenticate("$fd", "$sht(accounts=>$au)", "0")) { proxy_challenge("$fd", "1"); exit; }
  consume_credentials();
}

route[MEDIA] {
  if (!has_body("application/sdp")) return;
  t_on_reply("ANSWER");
  if ($(du{uri.transport}) == "ws" || $(ru{uri.transport}) == "ws") {
    setflag(1);
    rtpengine_manage("replace-origin replace-session-connection rtcp-mux-offer ICE=force SDES-off UDP/TLS/RTP/SAVPF");
  } else {
    rtpengine_manage("replace-origin replace-session-connection rtcp-mux-demux ICE=remove RTP/AVP");
  }
}

onreply_route[ANSWER] {
  add_contact_alias();
  if (!has_body("application/sdp")) return;
  if (isflagset(1)) rtpengine_manage("replace-origin replace-session-connection rtcp-mux-demux ICE=remove RTP/AVP");
  else rtpengine_manage("replace-origin replace-session-connection rtcp-mux-accept ICE=force UDP/TLS/RTP/SAVPF");
}

event_route[core:worker-one-init] {
  xlog("L_ALERT", "${KAMAILIO_IS_UP}\\n");
}

event_route[xhttp:request] {
  if ($hdr(Upgrade) =~ "[Ww]eb[Ss]ocket" && ws_handle_handshake()) exit;
  xhttp_reply("404", "Not Found", "", "");
}
`
