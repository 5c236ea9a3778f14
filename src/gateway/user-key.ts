/** A user as the key of a map. A domain never has a blank in it, so the two parts stay apart. */
export function userKey({ tenant, user }: { readonly tenant: string; readonly user: string }): string {
  return `${tenant} ${user}`
}

/** Address of record. */
export function addressOfRecord({ tenant, user }: { readonly tenant: string; readonly user: string }): string {
  return `sip:${user}@${tenant}`
}
