import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { GatewayError } from '../../base/index.ts'
import { identitiesOf, isForHost } from './identities.ts'
import type { CertificateFiles, TlsProfile, TlsSettings } from './model.ts'
import { systemCas } from './system-cas.ts'

/** Certificates, keys and CAs as they are now in their files. */
export interface TlsStore {
  readonly settings: TlsSettings
  /** For a server, and again after each change. Without a certificate `undefined`. */
  serverContext(): SecureContextOptions | undefined
  /** The context for the host a client names (SNI); `undefined`: the server's own will do. */
  contextFor(host: string): SecureContext | undefined
  /** What a connection of ours is made with. */
  client(profile: string | undefined): ClientContext
  /** Calls `listener` when other certificates are in use. */
  onChange(listener: () => void): void
  /**
   * Reads the files again. New handshakes use what they hold now, connections that are open stay. Files that are not
   * usable (a key that does not fit, half of a certificate) change nothing and are reported.
   */
  reload(): TlsReload
  /** What somebody should know: certificates that are over soon, one sentence each. */
  warnings(nowMs: number): readonly string[]
}

export type TlsReload =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed' }
  | { readonly kind: 'failed'; readonly problem: string }

export interface ClientContext {
  readonly context: SecureContext
  readonly profile: TlsProfile
}

const DEFAULT_PROFILE: TlsProfile = { verify: 'peer', names: [] }

/** A certificate that ends within this is worth a word, in ms: 14 days. */
const SOON_MS = 14 * 86_400_000

/** @throws GatewayError `CONFIG_INVALID`: a file cannot be read or used. */
export function createTlsStore(settings: TlsSettings, read: (path: string) => string = readText): TlsStore {
  const attempt = (): Loaded => load(settings, read)
  let loaded = attempt()
  const listeners: (() => void)[] = []
  return {
    settings,
    serverContext: () => loaded.server,
    contextFor: (host) => loaded.named.find(({ identities }) => isForHost(host, identities))?.context,
    client: (profile) => loaded.client(profile),
    onChange: (listener) => void listeners.push(listener),
    reload() {
      try {
        const fresh = attempt()
        if (fresh.digest === loaded.digest) return { kind: 'unchanged' }
        loaded = fresh
      } catch (thrown) {
        return { kind: 'failed', problem: thrown instanceof Error ? thrown.message : String(thrown) }
      }
      for (const listener of listeners) listener()
      return { kind: 'changed' }
    },
    warnings: (nowMs) => loaded.named.flatMap(({ file, validTo }) => expiryWarning(file, validTo, nowMs)),
  }
}

interface Named {
  readonly file: string
  readonly identities: readonly string[]
  readonly context: SecureContext
  /** Unix ms. */
  readonly validTo: number
}

interface Loaded {
  /** Of all that was read, to see a change. */
  readonly digest: string
  readonly server: SecureContextOptions | undefined
  readonly named: readonly Named[]
  client(profile: string | undefined): ClientContext
}

function load(settings: TlsSettings, read: (path: string) => string): Loaded {
  const { certificates, minVersion, clientCa, profiles } = settings
  const hash = createHash('sha256')
  const text = (path: string): string => {
    const content = contentOf(path, read)
    hash.update(`${content.length} ${content}`)
    return content
  }
  const cas = (path: string | undefined) => (path === undefined ? {} : { ca: checkedCas(path, text(path)) })
  const pair = ({ cert, key }: CertificateFiles) => ({ cert: text(cert), key: text(key) })
  const trusted = cas(clientCa)
  const pairs = certificates.map((files) => ({ file: files.cert, options: { ...pair(files), ...trusted, minVersion } }))
  const named = pairs.map(({ file, options }) => namedContext(file, options))
  const base: SecureContextOptions = { minVersion, ...cas(settings.ca) }
  const own = pairs[0] === undefined ? {} : { cert: pairs[0].options.cert, key: pairs[0].options.key }
  const clients = new Map(
    Object.entries({ '': DEFAULT_PROFILE, ...profiles }).map(([name, profile]) => {
      const certificate = profile.certificate === undefined ? own : checkedPair(profile.certificate, pair)
      return [name, lazyClient(profile, { ...base, ...certificate, ...cas(profile.ca) })] as const
    }),
  )
  const anyone = lazyClient(DEFAULT_PROFILE, { ...base, ...own })
  return {
    digest: hash.digest('hex'),
    server: pairs[0]?.options,
    named,
    client: (profile) => (clients.get(profile ?? '') ?? anyone)(),
  }
}

function namedContext(file: string, options: SecureContextOptions & { readonly cert: string }): Named {
  const certificate = usable(file, () => new X509Certificate(options.cert))
  const context = usable(file, () => createSecureContext(options))
  const validTo = Date.parse(certificate.validTo)
  return { file, identities: identitiesOf(certificate), context, validTo }
}

/** Made when first used: the system's CAs are some hundred, and not every gateway connects over TLS. */
function lazyClient(profile: TlsProfile, options: SecureContextOptions): () => ClientContext {
  let made: ClientContext | undefined
  return () => {
    made ??= { profile, context: createSecureContext({ ...options, ca: options.ca ?? systemCas() }) }
    return made
  }
}

type Pair = { readonly cert: string; readonly key: string }

function checkedPair(files: CertificateFiles, pair: (files: CertificateFiles) => Pair): Pair {
  const options = pair(files)
  usable(files.cert, () => createSecureContext(options))
  return options
}

/** Without this, a file without any CA would be taken and nothing be trusted. */
function checkedCas(file: string, text: string): string {
  usable(file, () => new X509Certificate(text))
  return text
}

function contentOf(path: string, read: (path: string) => string): string {
  try {
    return read(path)
  } catch (thrown) {
    throw new GatewayError('CONFIG_INVALID', `TLS: cannot read ${path}: ${reasonOf(thrown)}`, { cause: thrown })
  }
}

function usable<T>(file: string, make: () => T): T {
  try {
    return make()
  } catch (thrown) {
    throw new GatewayError('CONFIG_INVALID', `TLS: ${file} cannot be used: ${reasonOf(thrown)}`, { cause: thrown })
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

function expiryWarning(file: string, validTo: number, nowMs: number): readonly string[] {
  if (validTo - nowMs > SOON_MS) return []
  const day = new Date(validTo).toISOString().slice(0, 10)
  return [validTo < nowMs ? `the certificate ${file} is over since ${day}` : `the certificate ${file} ends on ${day}`]
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
