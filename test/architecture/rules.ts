/**
 * Who may import whom, by folder of `src`. A folder may always import itself. What is not listed is forbidden.
 *
 * The order is that of the layers: a folder imports only from those above it in this list.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'version.ts': [],
  base: [],
  sip: ['base'],
  sdp: ['base'],
  'random.ts': ['base'],
  media: ['base'],
  tenancy: ['base'],
  events: ['base', 'sip'],
  messages: ['base', 'sip'],
  registrar: ['base', 'sip', 'tenancy'],
  routing: ['base', 'sip', 'tenancy', 'registrar'],
  call: ['base', 'sip', 'sdp', 'media', 'tenancy', 'registrar', 'routing'],
  'media/engines': ['base', 'media'],
  transport: ['base', 'sip'],
  telemetry: ['base', 'sip', 'call'],
  config: ['base', 'sip', 'tenancy'],
  api: ['base', 'sip', 'telemetry'],
  gateway: [
    'base',
    'sip',
    'sdp',
    'media',
    'tenancy',
    'registrar',
    'routing',
    'call',
    'events',
    'messages',
    'transport',
    'telemetry',
    'config',
    'api',
    'random.ts',
  ],
  caller: ['base', 'sip', 'sdp', 'media', 'media/engines', 'transport', 'random.ts', 'version.ts'],
  web: ['api'],
  cli: ['base', 'sip', 'config', 'telemetry', 'version.ts'],
  'compose.ts': [
    'base',
    'sip',
    'config',
    'telemetry',
    'media',
    'media/engines',
    'gateway',
    'api',
    'random.ts',
    'version.ts',
  ],
  'main.ts': ['cli', 'compose.ts', 'random.ts', 'caller'],
}

/** Type-checked without Node and DOM; no clock, no randomness, no timers, no sockets. */
export const PURE: readonly string[] = [
  'base',
  'sip',
  'sdp',
  'call',
  'routing',
  'registrar',
  'tenancy',
  'events',
  'messages',
]

/** The pure files of a folder that also holds engines. */
export const PURE_FILES: readonly string[] = ['media/engine.ts', 'media/model.ts', 'media/events.ts', 'media/index.ts']

/** Doors besides `index.ts`, each with its reason. */
export const FURTHER_DOORS: Readonly<Record<string, string>> = {
  'api/model.ts': 'types only; the page must not type-check the server behind api/index.ts',
  'media/engines/portable/index.ts': 'each engine has its own door, so that only the chosen one is loaded',
  'media/engines/choice.ts': 'picks an engine without loading one',
  'media/engines/native/index.ts': 'each engine has its own door',
  'media/engines/fake/index.ts': 'each engine has its own door',
  'media/engines/portable/rtp/index.ts': 'building block shared with the headless caller (ADR 3)',
  'media/engines/portable/srtp/index.ts': 'building block shared with the headless caller (ADR 3)',
  'media/engines/portable/dtls/index.ts': 'building block shared with the headless caller (ADR 3)',
  'media/engines/portable/stun/index.ts': 'building block shared with the headless caller (ADR 3)',
}

export interface Exception {
  /** Path from the root of the repository. */
  readonly file: string
  readonly rule: 'imports' | 'pure' | 'size' | 'clock'
  readonly reason: string
}

/** Rules that are broken on purpose. An entry that is no longer needed fails the test too. */
export const EXCEPTIONS: readonly Exception[] = []
