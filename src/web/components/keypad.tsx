const KEYS: readonly (readonly [digit: string, letters: string])[] = [
  ['1', ''],
  ['2', 'ABC'],
  ['3', 'DEF'],
  ['4', 'GHI'],
  ['5', 'JKL'],
  ['6', 'MNO'],
  ['7', 'PQRS'],
  ['8', 'TUV'],
  ['9', 'WXYZ'],
  ['*', ''],
  ['0', '+'],
  ['#', ''],
]

const NAMES: Readonly<Record<string, string>> = { '*': 'star', '#': 'hash' }

/** Twelve keys. `prefix` makes their ids: `dtmf-5`, `dtmf-star`, `dtmf-hash`. */
export function Keypad(props: { readonly prefix: string; readonly onDigit: (digit: string) => void }) {
  return (
    <div class="keypad">
      {KEYS.map(([digit, letters]) => (
        <button
          key={digit}
          type="button"
          id={`${props.prefix}-${NAMES[digit] ?? digit}`}
          aria-label={NAMES[digit] ?? digit}
          onClick={() => props.onDigit(digit)}
        >
          <span>{digit}</span>
          <small aria-hidden="true">{letters}</small>
        </button>
      ))}
    </div>
  )
}
