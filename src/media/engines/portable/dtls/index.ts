export { createCertificate, type DtlsCertificate } from './certificate.ts'
export { DtlsEndpoint, type DtlsOptions, type DtlsOutput } from './endpoint.ts'
export type { SrtpKeys } from './key-schedule.ts'
