export { createDirectory, type Directory, type TrunkOfTenant } from './directory.ts'
export type * from './model.ts'
export { plainNumber } from './number.ts'
