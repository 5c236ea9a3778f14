export { createDirectory, type Directory, type TrunkOfTenant } from './directory.ts'
export type * from './model.ts'
