import { createRequest, type HeaderField } from '../../src/sip/index.ts'
import { DOMAIN } from './gateway-node.ts'
import type { Phone } from './phone.ts'

/** What became of a REGISTER. */
export interface Registering {
  /** Final status; `undefined` while there is none. */
  readonly status: number | undefined
  /** Contacts that the registrar told, without their parameters. */
  readonly contacts: readonly string[]
}

/** Sends a REGISTER with these Contact values; without any it asks what is registered (RFC 3261 §10.2.3). */
export function register(phone: Phone, contacts: readonly string[], headers: readonly HeaderField[] = []): Registering {
  const outcome: { status: number | undefined; contacts: readonly string[] } = { status: undefined, contacts: [] }
  const request = createRequest({
    method: 'REGISTER',
    uri: `sip:${DOMAIN}`,
    headers: [
      { name: 'From', value: `<sip:${phone.user}@${DOMAIN}>;tag=${phone.ids.token()}` },
      { name: 'To', value: `<sip:${phone.user}@${DOMAIN}>` },
      { name: 'Call-ID', value: phone.ids.token() },
      { name: 'CSeq', value: '1 REGISTER' },
      ...contacts.map((value) => ({ name: 'Contact', value })),
      ...headers,
    ],
  })
  phone.ask(request, {
    onResponse: (response) => {
      if (response.status < 200) return
      outcome.status = response.status
      const told = response.headers.contacts
      outcome.contacts = told === '*' ? [] : told.map(({ uri }) => uri)
    },
    onFailed: () => {},
  })
  return outcome
}
