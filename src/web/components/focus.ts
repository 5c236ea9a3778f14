import type { RefObject } from 'preact'
import { useEffect } from 'preact/hooks'

/**
 * Gives the keyboard's focus to an element that just appeared, if the one that had it is gone. Never takes it from
 * anybody. A field is left
 * alone on a touch screen, where that would open the keyboard unasked.
 */
export function useFocusWhenLost(element: RefObject<HTMLElement | null>, kind: 'button' | 'field'): void {
  useEffect(() => {
    const lost = document.activeElement === null || document.activeElement === document.body
    const touch = matchMedia('(hover: none)').matches
    if (lost && !(kind === 'field' && touch)) element.current?.focus({ preventScroll: true })
  }, [element, kind])
}
