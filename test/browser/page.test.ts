import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { BrowserName } from './support/browsers.ts'
import { networkMissing } from './support/network.ts'
import { meterShows, openPhonePage, type PhonePage, signIn } from './support/phone-page.ts'
import { startWorld, type World } from './support/world.ts'

const missing = networkMissing()
if (missing !== undefined) console.warn(`!!! browser tests skipped: ${missing}`)

const BUILD = fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url))
const BROWSERS: readonly BrowserName[] = ['chromium', 'firefox']

describe('the page', { skip: missing ?? false }, () => {
  let world: World
  before(async () => {
    execFileSync(process.execPath, [BUILD], { stdio: 'inherit', timeout: 120_000 })
    world = await startWorld(BROWSERS, 'demo')
  })
  after(() => world?.stop())

  const open = (browser: BrowserName): Promise<PhonePage> =>
    openPhonePage(world.browser(browser).browser, `${world.gateway.http}/`)

  /** Opens a page for each user, runs, and closes them even if the test failed. */
  const withPhones = async (
    users: readonly (readonly [user: string, browser: BrowserName])[],
    run: (...phones: readonly PhonePage[]) => Promise<void>,
  ): Promise<void> => {
    const phones = await Promise.all(users.map(([, browser]) => open(browser)))
    try {
      await Promise.all(users.map(([user], index) => signIn(phones[index] ?? assert.fail(), user)))
      await run(...phones)
    } finally {
      await Promise.all(phones.map((phone) => phone.close()))
    }
  }

  for (const browser of BROWSERS) {
    test(`${browser}: one click signs in, *43 echoes, the timeline shows the call while it happens`, () =>
      withPhones([['alice', browser]], async (alice) => {
        await alice.click('[data-dial="*43"]')
        await alice.shows('#call-state', /In a call/)
        await Promise.all([meterShows(alice, 'meter-near', 'sound'), meterShows(alice, 'meter-far', 'sound')])
        for (const row of [
          /^\+0 msINVITE sip:\*43@/,
          /200 OK \(INVITE\)/,
          /ACK sip:/,
          /ICE connected/,
          /DTLS connected/,
        ]) {
          await alice.shows('[data-testid=ladder-row]', row)
        }
        await alice.shows('[data-figure=Codec]', /opus|PCM/)
        await alice.shows('#quality', /(opus|PCM[AU]) · (Good|Fair|Bad) · loss .* %/)
        await alice.page.focus('[data-testid=ladder-row] button')
        await alice.press('Enter')
        await alice.shows('[data-testid=message-text]', /^INVITE sip:\*43@.*Call-ID:.*m=audio/s)
        await alice.picture(`${browser}-in-a-call`)
        await alice.click('#hangup')
        await alice.shows('#notice', /You hung up/)
        await alice.shows('#gateway-state', /200/)
        await alice.shows('.recent', /\*43/)
      }))
  }

  for (const [caller, callee] of [
    ['chromium', 'firefox'],
    ['firefox', 'chromium'],
  ] as const) {
    test(`${caller} calls ${callee}: answer, mute, hold, keypad, hang up`, () =>
      withPhones(
        [
          ['alice', caller],
          ['bob', callee],
        ],
        async (...phones) => {
          const [alice, bob] = phones as [PhonePage, PhonePage]
          await alice.click('[data-dial=bob]')
          await alice.shows('#call-state', /Ringing/)
          await bob.shows('[data-testid=incoming]', /Incoming call.*alice/i)
          await bob.click('#answer')
          await Promise.all([alice, bob].map((phone) => phone.shows('#call-state', /In a call/)))
          await Promise.all([alice, bob].map((phone) => meterShows(phone, 'meter-far', 'sound')))
          await alice.click('#mute')
          await alice.shows('#mute', /Unmute/)
          await meterShows(bob, 'meter-far', 'silence')
          await alice.click('#mute')
          await meterShows(bob, 'meter-far', 'sound')
          await bob.click('#hold')
          await alice.shows('#call-state', /Held by the other side/)
          await bob.click('#hold')
          await alice.shows('#call-state', /In a call/)
          await meterShows(alice, 'meter-far', 'sound')
          await alice.click('#keypad')
          await alice.click('#dtmf-5')
          await bob.shows('[data-testid=ladder-row]', /DTMF 5/)
          await bob.click('#hangup')
          await alice.shows('#notice', /other side hung up/)
        },
      ))
  }

  test('a second call waits; answering it holds the first, and one can switch back', () =>
    withPhones(
      [
        ['alice', 'chromium'],
        ['bob', 'chromium'],
        ['carol', 'firefox'],
      ],
      async (...phones) => {
        const [alice, bob, carol] = phones as [PhonePage, PhonePage, PhonePage]
        await alice.click('[data-dial=bob]')
        await bob.click('#answer')
        await alice.shows('#call-state', /In a call/)
        await carol.click('[data-dial=alice]')
        await alice.shows('[data-testid=incoming]', /Another call.*carol/i)
        await alice.click('#answer')
        await bob.shows('#call-state', /Held by the other side/)
        await carol.shows('#call-state', /In a call/)
        await meterShows(carol, 'meter-far', 'sound')
        await alice.shows('#call-peer', /carol/i)
        await alice.click('[aria-label="Call with bob"] button')
        await alice.shows('#call-peer', /bob/)
        await carol.shows('#call-state', /Held by the other side/)
        await bob.shows('#call-state', /In a call/)
        await alice.click('#hangup')
        await bob.shows('#notice', /other side hung up/)
        await carol.click('#hangup')
        await alice.shows('#notice', /other side hung up/)
      },
    ))

  test('with the keyboard alone: dial, digits, cancel, decline', () =>
    withPhones(
      [
        ['alice', 'chromium'],
        ['bob', 'firefox'],
      ],
      async (...phones) => {
        const [alice, bob] = phones as [PhonePage, PhonePage]
        await alice.page.focus('#dial')
        await alice.press('*', '4', '3', 'Enter')
        await alice.shows('[data-testid=ladder-row]', /DTLS connected/)
        await alice.press('7')
        await alice.shows('[data-testid=ladder-row]', /DTMF 7/)
        await alice.page.focus('#hangup')
        await alice.press('Enter')
        await alice.shows('#notice', /You hung up/)
        await alice.page.focus('#dial')
        await alice.press('b', 'o', 'b', 'Enter')
        await bob.shows('[data-testid=incoming]', /alice/i)
        await alice.press('Escape')
        await alice.shows('#notice', /Cancelled/)
        await bob.lacks('[data-testid=incoming]')
        await alice.page.focus('#dial')
        await alice.press('b', 'o', 'b', 'Enter')
        await bob.shows('[data-testid=incoming]', /alice/i)
        await bob.press('Escape')
        await alice.shows('#notice', /declined the call \(603\)/)
      },
    ))

  test('failures are told in words, and nothing typed becomes HTML', () =>
    withPhones([['alice', 'chromium']], async (alice) => {
      await alice.page.type('#dial', 'nobody')
      await alice.press('Enter')
      await alice.shows('#notice', /nobody with that number or name \(404\)/)
      await alice.click('[data-dial=bob]')
      await alice.shows('#notice', /Not available.*\(480\)/)
      await alice.page.type('#dial', '<img/src=x>')
      await alice.press('Enter')
      await alice.shows('#notice', /<img\/src=x>/)
      await alice.lacks('main img')
      await alice.page.evaluate(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))",
      )
      await alice.click('[data-dial="*43"]')
      await alice.shows('#notice', /microphone is blocked/)
    }))

  test('without a microphone the test tone is sent', () =>
    withPhones([['alice', 'firefox']], async (alice) => {
      await alice.click('.sound summary')
      await alice.page.select('#microphone', 'tone')
      await alice.click('[data-dial="*43"]')
      await meterShows(alice, 'meter-far', 'sound')
      await alice.page.select('#microphone', 'silence')
      await meterShows(alice, 'meter-far', 'silence')
      await alice.click('#hangup')
      await alice.shows('#notice', /You hung up/)
    }))

  test('it fits a phone, light and dark', () =>
    withPhones([['alice', 'chromium']], async (alice) => {
      await alice.page.setViewport({ width: 375, height: 800 })
      await alice.click('[data-dial="*41"]')
      await alice.shows('[data-testid=ladder-row]', /DTLS connected/)
      for (const value of ['light', 'dark']) {
        await alice.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }])
        await alice.picture(`phone-${value}`)
        assert.equal(
          await alice.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
          0,
        )
      }
      await alice.click('#hangup')
      await alice.shows('#notice', /You hung up/)
    }))

  for (const browser of BROWSERS) {
    test(`${browser}: loading the page again ends the call for the other side, and signs in again`, () =>
      withPhones(
        [
          ['alice', 'chromium'],
          ['bob', browser],
        ],
        async (...phones) => {
          const [alice, bob] = phones as [PhonePage, PhonePage]
          await alice.click('[data-dial=bob]')
          await bob.click('#answer')
          await alice.shows('#call-state', /In a call/)
          await bob.page.reload()
          await alice.shows('#notice', /other side hung up/)
          await bob.shows('#state', /^Ready: bob@/)
          await alice.click('[data-dial=bob]')
          await bob.shows('[data-testid=incoming]', /alice/i)
          await alice.press('Escape')
          await bob.lacks('[data-testid=incoming]')
        },
      ))
  }

  test('a wrong password is told, and the way back is to sign in again', async () => {
    const phone = await open('chromium')
    await phone.click('summary')
    await phone.page.type('#user', 'alice')
    await phone.page.type('#password', 'wrong')
    await phone.click('#sign-in')
    await phone.shows('#state', /does not accept this user and password/)
    await phone.click('#sign-out')
    await signIn(phone, 'alice')
    await phone.close()
  })

  test('when the gateway goes away the page says so', () =>
    withPhones([['alice', 'chromium']], async (alice) => {
      await world.gateway.child.stop('SIGKILL')
      await alice.shows('#state', /cannot be reached/)
      await alice.shows('.timeline-head', /does not answer|ended the stream/)
    }))
})
