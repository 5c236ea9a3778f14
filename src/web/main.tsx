import './style/theme.css'
import './style/controls.css'
import './style/page.css'
import './style/phone.css'
import './style/timeline.css'
import { render } from 'preact'
import type { PageInfo } from '../api/model.ts'
import { startAlerts } from './alerts.ts'
import { createApiClient } from './api/client.ts'
import { App } from './app.tsx'
import type { Account } from './phone/model.ts'
import { Phone } from './phone/phone.ts'
import { openSettings } from './phone/settings.ts'
import { openStorage } from './storage.ts'
import { Watch } from './timeline/watch.ts'

const REMEMBERED = 'trunkline.account'

/** Puts the page together. */
async function start(root: HTMLElement): Promise<void> {
  const api = createApiClient(new URL('.', location.href).href)
  let page: PageInfo
  try {
    page = await api.pageInfo()
  } catch (error) {
    render(
      <Unreachable words={error instanceof Error ? error.message : String(error)} onRetry={() => start(root)} />,
      root,
    )
    return
  }
  const local = openStorage(() => localStorage)
  const session = openStorage(() => sessionStorage)
  const settings = openSettings(local)
  const phone = new Phone(settings, local)
  const watch = new Watch(api)
  startAlerts(phone.state)
  // Firefox has closed the WebSocket by the time of `pagehide` when a page is loaded again.
  for (const leaving of ['beforeunload', 'pagehide']) addEventListener(leaving, () => phone.signOut())
  const signIn = (account: Account): void => {
    session.setItem(REMEMBERED, addressOf(account))
    phone.signIn(account, socketUrl(page.sipPath))
    watch.start(account)
  }
  const signOut = (): void => {
    session.removeItem(REMEMBERED)
    phone.signOut()
    watch.stop()
  }
  const show = (): void =>
    render(<App {...{ page, phone, watch, settings }} onSignIn={signIn} onSignOut={signOut} />, root)
  show()
  renewDemoAccount(phone, async (account) => {
    if (demoAccount(page, addressOf(account))?.password !== account.password) return // Typed by hand: wrong is wrong.
    page = await api.pageInfo()
    show()
    const renewed = demoAccount(page, addressOf(account))
    if (renewed !== undefined && renewed.password !== account.password) signIn(renewed)
  })
  const again = demoAccount(page, session.getItem(REMEMBERED))
  if (again !== undefined) signIn(again)
}

/** A reload signs in again, but only with an account whose password the gateway itself hands out: none is stored. */
function demoAccount(page: PageInfo, remembered: string | null): Account | undefined {
  return page.demo?.find((account) => addressOf(account) === remembered)
}

const addressOf = ({ user, domain }: Pick<Account, 'user' | 'domain'>): string => `${user}@${domain}`

/** A gateway that was started again has made new passwords: `renew` asks for them when the old one is refused. */
function renewDemoAccount(phone: Phone, renew: (account: Account) => Promise<void>): void {
  let refused = false
  phone.state.subscribe(() => {
    const { account, registration } = phone.state.get()
    const before = refused
    refused = registration.kind === 'failed'
    // The page goes on saying that the password is refused if there is no other.
    if (refused && !before && account !== undefined) renew(account).catch(() => undefined)
  })
}

function socketUrl(path: string): string {
  const url = new URL(path, location.href)
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}

function Unreachable(props: { readonly words: string; readonly onRetry: () => void }) {
  return (
    <main class="signed-out">
      <section class="card" role="alert">
        <h2>The gateway does not answer</h2>
        <p class="hint">{props.words}</p>
        <button type="button" class="primary" onClick={props.onRetry}>
          Try again
        </button>
      </section>
    </main>
  )
}

const root = document.getElementById('app')
if (root === null) throw new Error('the page has no place for the app')
await start(root)
