/** A plus and 7 to 15 digits (E.164), or 7 to 15 digits as the user of a SIP or tel URI. */
const NUMBER = /(?<![\w+])\+\d{7,15}(?!\d)|(?<=(?:sips?|tel):)\+?\d{7,15}(?=[@;>\s]|$)/g

/** The text with telephone numbers shortened to their last two digits: `+15550100` reads `+******00`. */
export function redactNumbers(text: string): string {
  return text.replace(NUMBER, (number) => {
    const plus = number.startsWith('+') ? '+' : ''
    const digits = number.slice(plus.length)
    return `${plus}${'*'.repeat(digits.length - 2)}${digits.slice(-2)}`
  })
}
