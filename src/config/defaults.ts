/** What stands where the file says nothing, as it would be written there. */
export const DEFAULTS = {
  http: '127.0.0.1:8080',
  sip: ['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060'],
  webrtcPorts: '3480-3487',
  rtpPorts: '20000-29999',
} as const
