import type { z } from 'zod'
import { GatewayError } from '../base/index.ts'

/** The value as the schema reads it. @throws GatewayError `API_BAD_REQUEST` naming each field that is wrong. */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value ?? {})
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`)
  throw new GatewayError('API_BAD_REQUEST', problems.join('; '))
}
