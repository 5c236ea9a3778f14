/** SIP by string search, for the load's own side: as cheap as it can be, so that the gateway is what is measured. */
export function header(message: string, name: string): string {
  const at = message.indexOf(`\r\n${name}: `)
  if (at === -1) return ''
  const start = at + name.length + 4
  return message.slice(start, message.indexOf('\r\n', start))
}

/** Every line of that name, as they stand. */
export function lines(message: string, name: string): string {
  const head = message.slice(0, message.indexOf('\r\n\r\n'))
  return head
    .split('\r\n')
    .filter((line) => line.startsWith(`${name}: `))
    .join('\r\n')
}

export function statusOf(message: string): number {
  return message.startsWith('SIP/2.0 ') ? Number(message.slice(8, 11)) : 0
}

/** URI of a Contact or Request. */
export function uriIn(value: string): string {
  const open = value.indexOf('<')
  return open === -1 ? value : value.slice(open + 1, value.indexOf('>', open))
}

export function sdp(host: string, port: number): string {
  return [
    'v=0',
    `o=- 1 1 IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0 8 101`,
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=sendrecv',
    '',
  ].join('\r\n')
}
