import type { ByteString } from '../../base/index.ts'

/** How many voice messages wait in a user's mailbox (RFC 3842). */
export interface MessageSummary {
  readonly newMessages: number
  readonly oldMessages: number
}

/** An `application/simple-message-summary` body, RFC 3842 §5.2. */
export function messageSummary(account: ByteString, summary: MessageSummary | undefined): ByteString {
  const { newMessages = 0, oldMessages = 0 } = summary ?? {}
  const lines = [`Messages-Waiting: ${newMessages > 0 ? 'yes' : 'no'}`, `Message-Account: ${account}`]
  if (summary !== undefined) lines.push(`Voice-Message: ${newMessages}/${oldMessages}`)
  return `${lines.join('\r\n')}\r\n`
}
