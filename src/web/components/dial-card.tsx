import { useRef, useState } from 'preact/hooks'
import type { PageInfo } from '../../api/model.ts'
import type { Account } from '../phone/model.ts'
import { useFocusWhenLost } from './focus.ts'
import { CallIcon, EraseIcon } from './icons.tsx'
import { Keypad } from './keypad.tsx'

/** Field, keypad and the destinations worth a button. */
export function DialCard(props: {
  readonly page: PageInfo
  readonly account: Account
  readonly ready: boolean
  readonly onDial: (typed: string) => void
}) {
  const [typed, setTyped] = useState('')
  const field = useRef<HTMLInputElement>(null)
  useFocusWhenLost(field, 'field')
  const submit = (event: Event): void => {
    event.preventDefault()
    if (typed.trim() === '') field.current?.focus()
    else props.onDial(typed)
  }
  return (
    <section class="card" aria-labelledby="dial-title">
      <h2 id="dial-title" class="visually-hidden">
        Call
      </h2>
      <form class="dial" onSubmit={submit}>
        <label class="visually-hidden" for="dial">
          Number or name to call
        </label>
        <input
          id="dial"
          ref={field}
          value={typed}
          placeholder="Number or name"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          enterkeyhint="go"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button
          type="button"
          class="quiet erase"
          aria-label="Erase"
          disabled={typed === ''}
          onClick={() => setTyped(typed.slice(0, -1))}
        >
          <EraseIcon />
        </button>
        <Keypad prefix="key" onDigit={(digit) => setTyped(typed + digit)} />
        <button type="submit" id="call" class="primary go" disabled={!props.ready}>
          <CallIcon /> Call
        </button>
      </form>
      <QuickDial {...props} />
    </section>
  )
}

function QuickDial(props: {
  readonly page: PageInfo
  readonly account: Account
  readonly ready: boolean
  readonly onDial: (typed: string) => void
}) {
  const people = (props.page.demo ?? []).filter(
    ({ user, domain }) => domain === props.account.domain && user !== props.account.user,
  )
  return (
    <div class="chips">
      {props.page.builtins.map(({ dial, what }) => (
        <button
          key={dial}
          type="button"
          class="chip"
          data-dial={dial}
          disabled={!props.ready}
          onClick={() => props.onDial(dial)}
        >
          <strong>{dial}</strong> {what}
        </button>
      ))}
      {people.map(({ user, displayName }) => (
        <button
          key={user}
          type="button"
          class="chip"
          data-dial={user}
          disabled={!props.ready}
          onClick={() => props.onDial(user)}
        >
          {displayName}
        </button>
      ))}
    </div>
  )
}
