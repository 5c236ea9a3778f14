import type { PhoneState } from '../phone/model.ts'

type Light = 'good' | 'wait' | 'bad' | 'off'

/** Name of the page, and whether it can call and be called. */
export function StatusBar(props: { readonly state: PhoneState; readonly onSignOut: () => void }) {
  const { light, words } = lineStatus(props.state)
  return (
    <header class="bar">
      <h1>
        <img src="./icon.svg" alt="" width="28" height="28" /> Trunkline
      </h1>
      <p id="state" class={`pill ${light}`} role="status" data-registration={props.state.registration.kind}>
        <span class="lamp" aria-hidden="true" />
        <span class="pill-words">{words}</span>
      </p>
      {props.state.account !== undefined && (
        <button type="button" id="sign-out" class="quiet" onClick={props.onSignOut}>
          Sign out
        </button>
      )}
    </header>
  )
}

/** Connection and registration as one line for people. */
export function lineStatus(state: PhoneState): { readonly light: Light; readonly words: string } {
  const { account, connection, registration } = state
  if (account === undefined) return { light: 'off', words: 'Signed out' }
  if (connection.kind === 'lost') return { light: 'bad', words: connection.words }
  if (connection.kind === 'connecting') {
    return { light: 'wait', words: connection.attempt > 1 ? 'Connecting again…' : 'Connecting…' }
  }
  if (registration.kind === 'failed') return { light: 'bad', words: registration.words }
  if (registration.kind === 'registered') return { light: 'good', words: `Ready: ${account.user}@${account.domain}` }
  return { light: 'wait', words: registration.kind === 'asking' ? 'Registering…' : 'Not registered' }
}
