// npm run bench -- peers NAME: starts a gateway that benches compare with, for a look at it, until Ctrl-C.
import { once } from 'node:events'
import { PEERS, startTrunkline } from './index.ts'

const GATEWAYS = { trunkline: startTrunkline, ...PEERS }
const HELP = `Starts a gateway with two accounts on loopback, for a look at it; Ctrl-C ends it.

Usage: npm run bench -- peers ${Object.keys(GATEWAYS).join('|')}
`

async function main(name: string | undefined): Promise<number> {
  if (name === '--help' || name === '-h') {
    process.stdout.write(HELP)
    return 0
  }
  const start = Object.entries(GATEWAYS).find(([known]) => known === name)?.[1]
  if (!start) {
    process.stderr.write(`peers: ${name === undefined ? 'say which one' : `no gateway "${name}"`}\n${HELP}`)
    return 2
  }
  const gateway = await start()
  const { webSocket, sip, domain, web, phone } = gateway.subject
  process.stdout.write(
    [
      `${gateway.name} is up`,
      `  WebSocket  ${webSocket}`,
      `  SIP (UDP)  ${sip.host}:${sip.port}`,
      `  domain     ${domain}`,
      `  accounts   ${web.user}:${web.password}, ${phone.user}:${phone.password}`,
      '',
    ].join('\n'),
  )
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await gateway.stop()
  return 0
}

process.exitCode = await main(process.argv[2])
