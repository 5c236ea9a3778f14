pub(crate) const TEXT: &str = "\
trunkline-media: relays media between WebRTC and SIP, told by a gateway what to do

usage: trunkline-media keep --control PATH [options]

  --control PATH         unix socket on which gateways are served
  --webrtc-ports A-B     UDP ports toward browsers, one per thread (default 3480-3487; 0-0: any)
  --rtp-ports A-B        pairs of UDP ports toward SIP, opened at once (default 20000-29999)
  --shared-ports N       RTP ports for many calls each (default two per thread, none in a small range)
  --tcp-port N|none      ICE-TCP (default the number of the first WebRTC port; 0: any)
  --advertise A,B,...    addresses told to peers (default the machine's own)
  --bind ADDRESS         address that is bound (default the advertised ones, or all)
  --threads auto|N       relay threads, at most one per WebRTC port (default auto: one per core)
  --io auto|batch|uring  how datagrams are moved (default auto)
  --max-sessions N       sessions at once (default 10000)
  --quarantine-ms N      rest of released ports (default 30000)
  --consent-ms N         time without ICE consent after which nothing is sent (default 30000)
  --silence-ms N         time without packets after which a side is silent (default 5000)
  --quality-ms N         time between quality reports of a session (default 2000)
  --latch same-ip|strict whether a new port of the signalled address is followed (default same-ip)
  --claim-ms N           time a gateway has to claim sessions (default 60000)
  --idle-exit-s N        time without sessions and gateways after which all ends (default 60)
  --pin                  thread N stays on core N
  --test-clock           the clock may be moved by gateways
  --help, --version

It says one line of JSON on stdout when it is ready, and what is worth a note on stderr. SIGTERM ends it; the death of a
relay does not: another one goes on with its calls.
";
