import { type CallId, type CallState, userDialogs } from '../call/index.ts'
import type { DialogInfo, EventUser } from '../events/index.ts'
import { userKey } from './user-key.ts'

/** A dialog of a watched user that changed. */
export interface DialogNews {
  readonly user: string
  readonly dialog: DialogInfo
}

type DialogsOfUser = Map<string, DialogInfo>

/**
 * The dialogs of those users that somebody watches (RFC 4235). Calls of others cost nothing here, and without watchers
 * none does.
 */
export class DialogBoard {
  readonly #watched = new Map<string, DialogsOfUser>()
  readonly #usersOfCall = new Map<CallId, Set<string>>()

  get isIdle(): boolean {
    return this.#watched.size === 0
  }

  /** From now on this user's dialogs are known; `calls` are those that are up. */
  watch(who: EventUser, calls: Iterable<{ readonly id: CallId; readonly state: CallState }>): void {
    const user = userKey(who)
    if (this.#watched.has(user)) return
    this.#watched.set(user, new Map())
    for (const { id, state } of calls) this.#place(id, user, dialogsOf(id, state).get(user))
  }

  forget(who: EventUser): void {
    const user = userKey(who)
    this.#watched.delete(user)
    for (const [call, users] of this.#usersOfCall)
      if (users.delete(user) && users.size === 0) this.#usersOfCall.delete(call)
  }

  of(who: EventUser): readonly DialogInfo[] {
    return [...(this.#watched.get(userKey(who))?.values() ?? [])]
  }

  /** The call changed. `state` is absent once it is over. */
  changed(call: CallId, state: CallState | undefined): readonly DialogNews[] {
    if (this.isIdle) return []
    const now = state === undefined ? new Map<string, DialogsOfUser>() : dialogsOf(call, state)
    const users = new Set([...(this.#usersOfCall.get(call) ?? []), ...now.keys()])
    return [...users].flatMap((user) => {
      if (!this.#watched.has(user)) return []
      const before = this.#dialogsIn(call, user)
      const after: DialogsOfUser = now.get(user) ?? new Map()
      this.#place(call, user, after)
      return differences(before, after).map((dialog) => ({ user, dialog }))
    })
  }

  #dialogsIn(call: CallId, user: string): DialogsOfUser {
    const all = this.#watched.get(user) ?? new Map<string, DialogInfo>()
    return new Map([...all].filter(([id]) => id.startsWith(`${call}.`)))
  }

  #place(call: CallId, user: string, after: DialogsOfUser = new Map()): void {
    const all = this.#watched.get(user)
    if (all === undefined) return
    for (const id of this.#dialogsIn(call, user).keys()) if (!after.has(id)) all.delete(id)
    for (const [id, dialog] of after) all.set(id, dialog)
    const users = this.#usersOfCall.get(call) ?? new Set()
    if (after.size > 0) users.add(user)
    else users.delete(user)
    if (users.size > 0) this.#usersOfCall.set(call, users)
    else this.#usersOfCall.delete(call)
  }
}

/** Dialogs of the users in a call, by user and dialog. */
function dialogsOf(call: CallId, state: CallState): Map<string, DialogsOfUser> {
  const found = new Map<string, DialogsOfUser>()
  for (const { leg, tenant, user, ...dialog } of userDialogs(state)) {
    const key = userKey({ tenant, user })
    const id = `${call}.${leg}`
    found.set(key, (found.get(key) ?? new Map()).set(id, { id, ...dialog }))
  }
  return found
}

/** What is new or other, and what is over. */
function differences(before: DialogsOfUser, after: DialogsOfUser): readonly DialogInfo[] {
  const gone = [...before.values()].filter(({ id }) => !after.has(id))
  const changed = [...after.values()].filter((dialog) => {
    const old = before.get(dialog.id)
    return old?.state !== dialog.state || old.localTag !== dialog.localTag
  })
  return [...gone.map((dialog) => ({ ...dialog, state: 'terminated' as const })), ...changed]
}
