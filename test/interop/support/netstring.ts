/** Netstrings (`5:hello,`), the framing of baresip's control connection. */
export function writeNetstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`
}

/** Splits a stream into netstrings; keeps what is not yet whole. */
export function netstringReader(): (chunk: Buffer) => string[] {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const out: string[] = []
    for (;;) {
      const colon = rest.indexOf(0x3a)
      if (colon < 0) return out
      const length = Number.parseInt(rest.subarray(0, colon).toString('latin1'), 10)
      if (!Number.isInteger(length)) throw new Error(`not a netstring: ${rest.subarray(0, 20).toString('latin1')}`)
      if (rest.length < colon + length + 2) return out
      out.push(rest.subarray(colon + 1, colon + 1 + length).toString('utf8'))
      rest = rest.subarray(colon + length + 2)
    }
  }
}
