import { useState } from 'preact/hooks'
import type { PageInfo } from '../../api/model.ts'
import type { Account } from '../phone/model.ts'

/** One click with an account made for this run, or user, domain and password. */
export function SignIn(props: { readonly page: PageInfo; readonly onSignIn: (account: Account) => void }) {
  const { demo = [], domains } = props.page
  return (
    <section class="card" aria-labelledby="sign-in-title">
      <h2 id="sign-in-title">Sign in</h2>
      {demo.length > 0 && (
        <>
          <p class="hint">Accounts made for this run of the gateway. Open a second tab to call from one to another.</p>
          <div class="accounts">
            {demo.map((account) => (
              <button
                key={account.user}
                type="button"
                id={`sign-in-${account.user}`}
                class="account"
                onClick={() => props.onSignIn(account)}
              >
                <strong>{account.displayName}</strong>
                <small>{`${account.user}@${account.domain}`}</small>
              </button>
            ))}
          </div>
        </>
      )}
      {demo.length === 0 ? (
        <AccountForm domains={domains} onSignIn={props.onSignIn} />
      ) : (
        <details>
          <summary>Another account</summary>
          <AccountForm domains={domains} onSignIn={props.onSignIn} />
        </details>
      )}
    </section>
  )
}

function AccountForm(props: { readonly domains: readonly string[]; readonly onSignIn: (account: Account) => void }) {
  const [user, setUser] = useState('')
  const [domain, setDomain] = useState(props.domains[0] ?? '')
  const [password, setPassword] = useState('')
  const submit = (event: Event): void => {
    event.preventDefault()
    props.onSignIn({ user: user.trim(), domain: domain.trim(), password })
  }
  return (
    <form class="account-form" onSubmit={submit}>
      <label>
        User
        <input
          id="user"
          required
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          value={user}
          onInput={(event) => setUser(event.currentTarget.value)}
        />
      </label>
      <label>
        Domain
        <input
          id="domain"
          required
          list="domains"
          autocapitalize="none"
          spellcheck={false}
          value={domain}
          onInput={(event) => setDomain(event.currentTarget.value)}
        />
        <datalist id="domains">
          {props.domains.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label>
        Password
        <input
          id="password"
          type="password"
          required
          autocomplete="current-password"
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <button type="submit" id="sign-in" class="primary">
        Sign in
      </button>
    </form>
  )
}
