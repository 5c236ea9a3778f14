import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PayloadCodec, RemoteMedium } from '../../model.ts'
import { routeTable } from './routes.ts'

function medium(codecs: readonly PayloadCodec[], more: Partial<RemoteMedium> = {}): RemoteMedium {
  return { kind: 'audio', active: true, send: true, receive: true, sendCodecs: codecs, receiveCodecs: codecs, ...more }
}

const opus = (payloadType: number): PayloadCodec => ({ payloadType, name: 'opus', clockRateHz: 48_000, channels: 2 })
const pcmu: PayloadCodec = { payloadType: 0, name: 'PCMU', clockRateHz: 8_000 }
const event = (payloadType: number, clockRateHz: number): PayloadCodec => ({
  payloadType,
  name: 'telephone-event',
  clockRateHz,
})

test('a codec goes out under the number of the other side', () => {
  const table = routeTable(medium([opus(111), pcmu]), medium([{ ...opus(96), name: 'OPUS' }]))
  assert.deepEqual(table[111]?.route, { payloadType: 96, clockRateHz: 48_000, kind: 'audio' })
  assert.equal(table[0]?.route, undefined, 'not wanted there')
  assert.equal(table[0]?.codec.name, 'PCMU')
  assert.equal(table[9], undefined, 'never negotiated')
})

test('G.722 and PCMU are not the same although both say 8000 Hz, nor is Opus with one channel', () => {
  const g722: PayloadCodec = { payloadType: 9, name: 'G722', clockRateHz: 8_000 }
  assert.equal(routeTable(medium([g722]), medium([pcmu]))[9]?.route, undefined)
  const mono: PayloadCodec = { payloadType: 96, name: 'opus', clockRateHz: 48_000 }
  assert.equal(routeTable(medium([opus(111)]), medium([mono]))[111]?.route, undefined)
})

test('RFC 4733: an event is counted in the clock that the other side agreed to', () => {
  const browser = medium([pcmu, event(110, 48_000), event(126, 8_000)])
  const phone = medium([pcmu, event(101, 8_000)])
  const expected = { payloadType: 101, clockRateHz: 8_000, kind: 'audio', event: { fromHz: 48_000, toHz: 8_000 } }
  assert.deepEqual(routeTable(browser, phone)[110]?.route, expected)
  const back = routeTable(phone, browser)[101]?.route
  assert.deepEqual(back, { ...expected, payloadType: 126, event: { fromHz: 8_000, toHz: 8_000 } })
})

test('among two event clocks of the target, that of the codec in use is taken', () => {
  const both = medium([opus(111), pcmu, event(110, 48_000), event(126, 8_000)])
  const phone = medium([pcmu, opus(96), event(101, 8_000)])
  assert.equal(routeTable(phone, both, 48_000)[101]?.route?.payloadType, 110)
  assert.equal(routeTable(phone, both, 8_000)[101]?.route?.payloadType, 126)
})

test('H.264 goes only to the same profile and packetization mode', () => {
  const h264 = (payloadType: number, fmtp: string): PayloadCodec => ({
    payloadType,
    name: 'H264',
    clockRateHz: 90_000,
    fmtp,
  })
  const source = medium([h264(102, 'packetization-mode=1;profile-level-id=42e01f')])
  const target = medium([
    h264(97, 'packetization-mode=0;profile-level-id=42e01f'),
    h264(98, 'profile-level-id=42E028; packetization-mode=1'),
  ])
  assert.equal(routeTable(source, target)[102]?.route?.payloadType, 98)
})

test('the media identification is added where it was agreed', () => {
  const table = routeTable(medium([pcmu]), medium([pcmu], { mid: '0', midExtensionId: 4 }))
  assert.deepEqual(table[0]?.route?.mid, { id: 4, value: '0' })
})
