import type { Client } from './model.ts'

/** What each stack does by itself; the rest of `Client` is common. */
export interface CallPart
  extends Pick<
    Client,
    'register' | 'call' | 'answer' | 'reject' | 'cancel' | 'hangUp' | 'hold' | 'resume' | 'digit' | 'close'
  > {
  /** Ends whatever call there is. */
  readonly drop: () => void
  readonly connection: () => RTCPeerConnection | undefined
}
