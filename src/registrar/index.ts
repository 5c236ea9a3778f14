export type { Binding, ReachableContact, RegisterResult, RegistrarConfig } from './model.ts'
export { Registrar } from './registrar.ts'
