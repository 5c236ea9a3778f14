import type { CallRecord, Party } from '../call/index.ts'
import type { Log } from './log.ts'
import { redactNumbers } from './redact.ts'

/** Writes one line when a call has ended: the call detail record with numbers shortened. */
export function logCallRecord(log: Log, record: CallRecord): void {
  log.info(callRecordFields(record), 'call ended')
}

function callRecordFields(record: CallRecord): Record<string, string | number> {
  return {
    call: record.id,
    tenant: record.tenant,
    caller: partyName(record.caller),
    ...(record.callee === undefined ? {} : { callee: partyName(record.callee) }),
    from: redactNumbers(record.from),
    to: redactNumbers(record.to),
    status: record.status,
    endedBy: record.endedBy,
    reason: record.reason,
    ...(record.answeredAt === undefined
      ? { rangMs: record.endedAt - record.startedAt }
      : { setupMs: record.answeredAt - record.startedAt, talkedMs: record.endedAt - record.answeredAt }),
  }
}

/** `user:alice`, `trunk:carrier`, `builtin:echo`: the form used by the API too. */
function partyName(party: Party): string {
  if (party.kind === 'user') return `user:${party.user}`
  if (party.kind === 'trunk') return `trunk:${party.trunk}`
  return `builtin:${party.name}`
}
