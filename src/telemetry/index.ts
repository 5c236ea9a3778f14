export { logCallRecord } from './cdr.ts'
export { createLog, type Log, type LogLevel, type LogOptions } from './log.ts'
export { createMetrics, type MediaEngineCounts, type MetricSources, type Metrics } from './metrics.ts'
export { redactNumbers } from './redact.ts'
