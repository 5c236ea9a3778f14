export type { Binding, ContactsChanged, ReachableContact, RegisterResult, RegistrarConfig } from './model.ts'
export { trustedAddress } from './reach.ts'
export { Registrar } from './registrar.ts'
