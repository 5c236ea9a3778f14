import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fmtpParameter, knownFormat } from './fmtp.ts'

const cases: readonly (readonly [codec: string, fmtp: string, kept: string | undefined])[] = [
  ['opus', 'minptime=10; useinbandfec=1', 'minptime=10;useinbandfec=1'],
  ['opus', 'stereo=1;maxaveragebitrate=64000;x-secret=10.0.0.7', 'stereo=1;maxaveragebitrate=64000'],
  ['OPUS', 'useinbandfec=1 a=candidate:1', undefined],
  ['telephone-event', '0-15', '0-15'],
  ['telephone-event', '0-11,16', '0-11,16'],
  ['telephone-event', 'events=0-15', '0-15'],
  ['telephone-event', '0-15 x', undefined],
  ['H264', 'profile-level-id=42e01f;packetization-mode=1', 'profile-level-id=42e01f;packetization-mode=1'],
  ['H264', 'sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA==', 'sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA=='],
  ['PCMU', 'anything=1', undefined],
  ['G722', 'bitrate=64000', undefined],
]

for (const [codec, fmtp, kept] of cases) {
  test(`of "${fmtp}" for ${codec} goes on: ${kept ?? 'nothing'}`, () => assert.equal(knownFormat(codec, fmtp), kept))
}

test('parameters are found in any case and with blanks around them', () => {
  assert.equal(fmtpParameter('a=1; Profile-Level-Id = 42e01f', 'profile-level-id'), '42e01f')
  assert.equal(fmtpParameter('a=1', 'b'), undefined)
})
