import { GatewayError } from '../../../base/index.ts'

/** What `work` gives, unless it takes too long. @throws GatewayError `MEDIA_DEADLINE_MISSED`; the work itself goes on. */
export async function withDeadline<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new GatewayError('MEDIA_DEADLINE_MISSED', `binding took more than ${deadlineMs} ms`))
    }, deadlineMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
