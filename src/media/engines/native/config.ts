import type { MediaLog, PortRange } from '../portable/config.ts'

export interface NativeConfig {
  /** The program; default: the first place of `findMediaProgram`. */
  readonly program?: string
  /** Path of the control socket. Default: one for this user and these ports in the folder for temporary files. */
  readonly control?: string
  /** Addresses told to peers; default: the machine's own. */
  readonly advertise?: readonly string[]
  /** Address the sockets are bound to; default: the advertised ones where they are the machine's, else all. */
  readonly bind?: string
  /** One for each relay thread. */
  readonly webrtcPorts: PortRange
  /** Pool of RTP/RTCP port pairs toward SIP. */
  readonly rtpPorts: PortRange
  /** Relay threads. Default: one for each core, as far as there are WebRTC ports. */
  readonly threads?: number
  /** How datagrams are read and written. Default `auto`. */
  readonly io?: 'auto' | 'batch' | 'uring'
  /** Sessions at once. */
  readonly sessions?: number
  /** Rest of a released port pair before it is used again. Default 30_000. */
  readonly quarantineMs?: number
  /** After how long without a valid packet a side that may send is reported `silent`. Default 5_000. */
  readonly silenceMs?: number
  /** How often `quality` is reported, per session. Default 2_000. */
  readonly qualityMs?: number
  /** Time without an authenticated check after which we stop sending (RFC 7675 §5.1). Default 30_000. */
  readonly consentMs?: number
  /** Whether another port of the signalled IP address is followed after a few valid packets. Default `same-ip`. */
  readonly latch?: 'strict' | 'same-ip'
  /** Tests only: `advance` moves the engine's clock. */
  readonly testClock?: boolean
  readonly log?: MediaLog
}
