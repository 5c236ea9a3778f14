/** A dialled text; a number without the marks people write between its digits (RFC 3966 §5.1.1). */
export function plainNumber(text: string): string {
  const digits = text.replace(/[-.() ]/g, '')
  return /^\+?[0-9*#]+$/.test(digits) ? digits : text
}
