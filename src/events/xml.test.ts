import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '../base/index.ts'
import { presence, readPresence } from './index.ts'
import { parseXml, writeXml, xmlText } from './xml.ts'

describe('XML that presence is made of', () => {
  const cases: readonly (readonly [what: string, text: string, written: string])[] = [
    ['an empty element', '<a/>', '<a/>'],
    ['a declaration, a comment and a mark of byte order', '\ufeff<?xml version="1.0"?>\n<!-- x --><a></a>\n', '<a/>'],
    ['attributes in both quotes', `<p:a x='1"' y="2">t</p:a>`, '<p:a x="1&quot;" y="2">t</p:a>'],
    ['nested elements, space between them', '<a>\r\n  <b>1</b>\r\n  <c/>\r\n</a>', '<a><b>1</b><c/></a>'],
    ['entities and characters by number', '<a>&lt;&amp;&#65;&#x42;</a>', '<a>&lt;&amp;AB</a>'],
    ['CDATA', '<a><![CDATA[<b>&]]></a>', '<a>&lt;b&gt;&amp;</a>'],
    ['text beyond ASCII', '<a>Grüße</a>', '<a>Grüße</a>'],
  ]
  for (const [what, text, written] of cases) {
    test(what, () => assert.equal(writeXml(parseXml(encodeUtf8(text))), encodeUtf8(written)))
  }

  const refused = [
    '',
    'text',
    '<a>',
    '<a></b>',
    '<a></ab>',
    '<a x=1/>',
    '<a x="1" x="2"/>',
    '<a/><b/>',
    '<a>&unknown;</a>',
    '<a>&amp</a>',
    '<a>&#0;</a>',
    '<a><![CDATA[</a>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<a>'.repeat(20) + '</a>'.repeat(20),
    `<a>${'<b/>'.repeat(600)}</a>`,
  ]
  for (const text of refused) {
    test(`is not ${text.slice(0, 40)}`, () => {
      assert.throws(() => parseXml(text), { code: 'SIP_MALFORMED_MESSAGE' })
    })
  }

  test('law: whatever is read is written so that it reads the same again', () => {
    const piece = fc.constantFrom(
      '<a>',
      '</a>',
      '<b x="1">',
      '</b>',
      '<c/>',
      'text',
      '&lt;',
      '&#233;',
      '<![CDATA[<]]>',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = `<r>${pieces.join('')}</r>`
        let read: ReturnType<typeof parseXml>
        try {
          read = parseXml(text)
        } catch {
          return
        }
        const once = writeXml(read)
        assert.equal(writeXml(parseXml(once)), once)
      }),
    )
  })

  test('law: any bytes as text cannot leave their place', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(255)), (codes) => {
        const bytes = String.fromCharCode(...codes)
        const { children, attributes } = parseXml(`<a x="${xmlText(bytes)}">${xmlText(bytes)}</a>`)
        assert.ok(children.length <= 1 && attributes.size === 1)
      }),
    )
  })
})

test('presence that was published is taken apart and made anew, namespaces kept (RFC 3863)', () => {
  const published = readPresence(
    '<p:presence xmlns:p="urn:ietf:params:xml:ns:pidf" xmlns:r="urn:r" entity="pres:mallory@evil.test">' +
      '<p:tuple id="1"><p:status><p:basic>open</p:basic></p:status></p:tuple><r:busy/></p:presence>',
  )
  const document = presence({ entity: 'sip:bob@example.test', published: [published], isRegistered: false })
  assert.match(document, /entity="sip:bob@example\.test"/)
  assert.match(document, /<p:tuple xmlns:p="urn:ietf:params:xml:ns:pidf" xmlns:r="urn:r" id="1">/)
  assert.doesNotMatch(document, /mallory|registration/)
  assert.throws(() => readPresence('<other/>'), { code: 'SIP_MALFORMED_MESSAGE' })
})
