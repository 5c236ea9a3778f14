import { z } from 'zod'
import { LIMITS, Secret } from '../base/index.ts'
import { DEFAULTS } from './defaults.ts'
import {
  DIAL_PREFIX,
  isAddress,
  isCertificateName,
  isDomain,
  isNetwork,
  isTrunkTarget,
  LOCAL_NAME,
  NUMBER,
  NUMBER_TARGET,
  parseAdvertised,
  parseDnsServer,
  parseHostPort,
  parsePortRange,
  parseSipListen,
  USER_NAME,
} from './syntax.ts'

/** Turns `env:NAME` and `file:PATH` into what they stand for, or says what is wrong. */
export type SecretResolver = (text: string) => { readonly value: string } | { readonly problem: string }

/** Where a file of the text is, or what is wrong with it. */
export type FileFinder = (path: string) => { readonly path: string } | { readonly problem: string }

/**
 * The shape of the text. Every message says what is expected at its place; what was found is added by the reader.
 * References between parts are checked in `references.ts`, because they must be reported even if another part is bad.
 */
export function configSchema(resolve: SecretResolver, find: FileFinder = asItIs) {
  return section({
    listen: section({
      http: parsed(parseHostPort, 'an address and port such as "127.0.0.1:8080"').prefault(DEFAULTS.http),
      https: parsed(parseHostPort, 'an address and port such as "0.0.0.0:8443"').optional(),
      sip: list(listenerSchema())
        .min(1, 'at least one address')
        .prefault([...DEFAULTS.sip]),
    }).prefault({}),
    tls: section({
      certificates: list(certificateSchema(find)).max(1_000, 'at most 1,000 certificates').default([]),
      minVersion: z.enum(['1.2', '1.3'], expected('"1.2" or "1.3", in quotes')).default('1.2'),
      clientCa: file(find).optional(),
      ca: file(find).optional(),
      reloadSeconds: count(1, 86_400).default(30),
    }).prefault({}),
    media: mediaSchema().prefault({}),
    store: text(/^embedded:.+$/, '"embedded:" and a folder (this version knows no other store)').optional(),
    api: section({
      token: secret(resolve, 8, 'a token of at least 8 characters, or env:NAME, or file:PATH').optional(),
      origins: list(text(/^https?:\/\/[^/\s]+$/, 'a web origin such as "https://phone.example.test"')).default([]),
    }).prefault({}),
    dns: section({
      servers: list(parsed(parseDnsServer, 'an IP address such as "192.0.2.53", or with a port "192.0.2.53:5353"'))
        .min(1, 'at least one server')
        .optional(),
      timeoutSeconds: count(1, 30).default(2),
    }).prefault({}),
    failover: section({
      silenceSeconds: count(1, 32).default(6),
      avoidSeconds: count(1, 3_600).default(60),
    }).prefault({}),
    log: section({
      level: z.enum(['debug', 'info', 'warn', 'error'], expected('debug, info, warn or error')).default('info'),
      format: z.enum(['auto', 'json', 'text'], expected('auto, json or text')).default('auto'),
    }).prefault({}),
    calls: section({
      sessionSeconds: sessionSeconds().default(1_800),
      minSessionSeconds: count(90, 86_400).default(90),
    }).prefault({}),
    limits: section({
      calls: count(1, LIMITS.calls).default(LIMITS.calls),
      registrations: count(1, LIMITS.registrations).default(LIMITS.registrations),
      connections: count(1, LIMITS.connections).default(LIMITS.connections),
    }).prefault({}),
    registration: section({
      minSeconds: count(1, 3_600).default(30),
      maxSeconds: count(60, 7 * 86_400).default(3_600),
      contactsPerUser: count(1, 100).default(LIMITS.contactsPerUser),
      returnSeconds: count(0, 60).default(10),
    }).prefault({}),
    tenants: list(tenantSchema(resolve, find)).min(1, 'at least one tenant').optional(),
  })
}

export type RawConfig = z.output<ReturnType<typeof configSchema>>

function mediaSchema() {
  return section({
    engine: z
      .enum(['auto', 'native', 'portable'], expected('auto, native or portable (mediasoup is not in this version)'))
      .default('auto'),
    control: text(/^\/./, 'an absolute path such as "/run/trunkline/media.sock"').optional(),
    io: z.enum(['auto', 'batch', 'uring'], expected('auto, batch or uring')).default('auto'),
    threads: count(1, 256).optional(),
    advertise: list(text(isAddress, 'an IP address')).default([]),
    webrtcPorts: portRange().prefault(DEFAULTS.webrtcPorts),
    rtpPorts: portRange().prefault(DEFAULTS.rtpPorts),
  })
}

function tenantSchema(resolve: SecretResolver, find: FileFinder) {
  const domain = () => text(isDomain, 'a domain such as example.test').transform((value) => value.toLowerCase())
  return section({
    domain: domain(),
    aliases: list(domain()).default([]),
    users: list(userSchema(resolve)).default([]),
    trunks: list(trunkSchema(resolve, find)).default([]),
    routes: list(routeSchema()).default([]),
    numbers: list(numberSchema()).default([]),
    digest: list(z.enum(['MD5', 'SHA-256'], expected('MD5 or SHA-256')))
      .min(1, 'at least one of MD5 and SHA-256')
      .default(['MD5']),
    messages: section({
      keepSeconds: count(0, 30 * 86_400).default(7 * 86_400),
      trunks: z.boolean(expected('true or false')).default(false),
    }).prefault({}),
    followRedirects: z.boolean(expected('true or false')).default(true),
    sessionSeconds: sessionSeconds().optional(),
    transfer: transferPolicy().default('gateway'),
    limits: section({
      concurrentCalls: count(1, LIMITS.calls).default(1_000),
      maxCallSeconds: count(1, 7 * 86_400).default(4 * 3_600),
      ringSeconds: count(1, 600).default(120),
    }).prefault({}),
  })
}

function userSchema(resolve: SecretResolver) {
  return section({
    name: text(USER_NAME, 'a name of letters, digits and . _ + -'),
    password: secret(resolve, 1, 'a password, or env:NAME, or file:PATH'),
    displayName: text(/^[^\r\n"\\]{1,64}$/, 'a text of 1 to 64 characters without quotes').optional(),
  })
}

function trunkSchema(resolve: SecretResolver, find: FileFinder) {
  return section({
    name: text(LOCAL_NAME, 'a name of letters, digits and . _ -'),
    targets: list(text(isTrunkTarget, 'a SIP URI such as "sip:192.0.2.1:5060;transport=udp"'))
      .min(1, 'at least one SIP URI')
      .max(16, 'at most 16 SIP URIs'),
    accept: list(text(isNetwork, 'an IP address or a network such as "192.0.2.0/24"')).default([]),
    auth: section({
      username: text(/^[^\s"\\]{1,128}$/, 'a user name'),
      password: secret(resolve, 1, 'a password, or env:NAME, or file:PATH'),
      realm: text(/^[^\r\n"\\]{1,128}$/, 'a realm').optional(),
    }).optional(),
    tls: section({
      verify: z.enum(['peer', 'none'], expected('peer or none')).default('peer'),
      names: list(certificateName()).default([]),
      ca: file(find).optional(),
      certificate: certificateSchema(find).optional(),
      accept: list(certificateName()).default([]),
    }).optional(),
    srtp: z.enum(['offer', 'accept', 'never'], expected('offer, accept or never')).default('accept'),
    followRedirects: z.boolean(expected('true or false')).default(true),
    lateOffer: z.boolean(expected('true or false')).default(false),
    sessionSeconds: sessionSeconds().optional(),
    transfer: transferPolicy().default('refuse'),
  })
}

function certificateName() {
  const what = 'a name of a certificate, such as sbc.example.test'
  return text(isCertificateName, what).transform((name) => name.toLowerCase())
}

function certificateSchema(find: FileFinder) {
  return section({ cert: file(find), key: file(find) })
}

const LISTENER = 'udp:, tcp: or tls: with an address and port, such as "udp:127.0.0.1:5060"'

/** Mostly the address alone; a section where there is more to say of it. */
function listenerSchema() {
  const alone = parsed(parseSipListen, LISTENER)
  const whole = section({
    address: parsed(parseSipListen, LISTENER),
    advertise: parsed(parseAdvertised, 'a host that peers reach, with or without a port').optional(),
    clientCertificates: z.enum(['none', 'request', 'require'], expected('none, request or require')).optional(),
  }).transform(({ address, advertise, clientCertificates }) => ({
    ...address,
    ...(advertise === undefined ? {} : { advertise }),
    ...(clientCertificates === undefined ? {} : { clientCertificates }),
  }))
  return z.union([alone, whole], expected(LISTENER))
}

function transferPolicy() {
  return z.enum(['gateway', 'pass', 'refuse'], expected('gateway, pass or refuse'))
}

function routeSchema() {
  return section({
    prefix: text(DIAL_PREFIX, 'the first characters of a number, such as "+" or "00"'),
    trunk: text(LOCAL_NAME, 'the name of a trunk of this tenant'),
    strip: count(0, 24).default(0),
    prepend: text(DIAL_PREFIX, 'characters that can be dialled').default(''),
  })
}

function numberSchema() {
  return section({
    number: text(NUMBER, 'a number such as "+15550100"'),
    to: text(NUMBER_TARGET, '"user:NAME" or "trunk:NAME"'),
  })
}

function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, expected(`keys: ${Object.keys(shape).join(', ')}`))
}

function list<Item extends z.ZodType>(item: Item) {
  return z.array(item, expected('a list')).max(100_000, 'at most 100,000 entries')
}

function text(allowed: RegExp | ((value: string) => boolean), what: string) {
  const test = typeof allowed === 'function' ? allowed : (value: string): boolean => allowed.test(value)
  return z.string(expected(what)).refine(test, expected(what))
}

function parsed<T>(parse: (value: string) => T | undefined, what: string) {
  return z.string(expected(what)).transform((value, ctx) => {
    const result = parse(value)
    if (result !== undefined) return result
    ctx.issues.push({ code: 'custom', message: what, input: value })
    return z.NEVER
  })
}

function portRange() {
  const what = 'a range of ports such as "20000-29999"'
  return z.union([z.string(), z.int()], expected(what)).transform((value, ctx) => {
    const range = parsePortRange(String(value))
    if (range !== undefined) return range
    ctx.issues.push({ code: 'custom', message: what, input: value })
    return z.NEVER
  })
}

function secret(resolve: SecretResolver, minimum: number, what: string) {
  return z.string(expected(what)).transform((value, ctx) => {
    const resolved = resolve(value)
    const problem = 'problem' in resolved ? resolved.problem : resolved.value.length < minimum ? what : undefined
    if (problem === undefined && 'value' in resolved) return new Secret(resolved.value)
    ctx.issues.push({ code: 'custom', message: problem ?? what, input: value })
    return z.NEVER
  })
}

/** A PEM file that can be read; what is in it is looked at when it is used. */
function file(find: FileFinder) {
  const what = 'the path of a PEM file'
  return z.string(expected(what)).transform((value, ctx) => {
    const found = find(value)
    if ('path' in found) return found.path
    ctx.issues.push({ code: 'custom', message: found.problem, input: value })
    return z.NEVER
  })
}

function asItIs(path: string): { readonly path: string } {
  return { path }
}

/** RFC 4028 §5: no interval is shorter than 90 s. */
function sessionSeconds() {
  const what = '0 (none) or a whole number of seconds from 90 to 86400'
  return z.int(expected(what)).refine((value) => value === 0 || (value >= 90 && value <= 86_400), expected(what))
}

function count(from: number, to: number) {
  const what = `a whole number from ${from} to ${to}`
  return z.int(expected(what)).min(from, what).max(to, what)
}

function expected(what: string) {
  return { error: what }
}

const SCHEMA_FOR_KEYS = z.toJSONSchema(
  configSchema(() => ({ value: '' })),
  { io: 'input', unrepresentable: 'any' },
)

/** The keys that may stand in the section at `path` (numbers are positions in lists). */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  let node: JsonNode | undefined = SCHEMA_FOR_KEYS as JsonNode
  for (const step of path) node = sectionOf(typeof step === 'number' ? node?.items : node?.properties?.[String(step)])
  return Object.keys(node?.properties ?? {})
}

/** Every key with its path, lists as `[]`: `tenants[].users[].name`. Sections are listed too. */
export function allKeys(): readonly string[] {
  const out: string[] = []
  const walk = (node: JsonNode | undefined, prefix: string): void => {
    for (const [key, child] of Object.entries(node?.properties ?? {})) {
      const path = prefix === '' ? key : `${prefix}.${key}`
      out.push(path)
      walk(child, path)
      walk(sectionOf(child.items), `${path}[]`)
    }
  }
  walk(SCHEMA_FOR_KEYS as JsonNode, '')
  return out
}

/** What may be written as a text or as a section has the keys of the section. */
function sectionOf(node: JsonNode | undefined): JsonNode | undefined {
  return node?.anyOf?.find(({ properties }) => properties !== undefined) ?? node
}

interface JsonNode {
  readonly properties?: Readonly<Record<string, JsonNode>>
  readonly items?: JsonNode
  readonly anyOf?: readonly JsonNode[]
}
