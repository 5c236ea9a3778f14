/**
 * What people type, as JsSIP takes it: `*43`, `bob`, `bob@host` and `sip:…` stay; the spaces, dots, brackets and dashes
 * of a written telephone number go. `undefined` if nothing is left to dial.
 */
export function dialTarget(typed: string): string | undefined {
  const text = typed.trim()
  if (text === '') return undefined
  if (/^sips?:/i.test(text)) return /\s/.test(text) ? undefined : text
  const plain = text.replace(/^tel:/i, '')
  if (/^\+?[\d\s().\-/*#]+$/.test(plain)) {
    const number = plain.replace(/[\s().\-/]/g, '')
    return /\d|\*|#/.test(number) ? number : undefined
  }
  return /\s/.test(plain) ? undefined : plain
}
