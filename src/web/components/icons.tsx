import type { ComponentChildren } from 'preact'

/** Icons are decoration: the control that shows one carries its own name. */
function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  )
}

const HANDSET =
  'M2.6 13.4c5-5.2 13.8-5.2 18.8 0 .5.5.5 1.2.1 1.700l-2 2.400c-.4.5-1.1.6-1.6.3l-2.7-1.600c-.4-.2-.6-.7-.5-1.200l.3-1.800c-2-.6-4-.6-6 0l.3 1.800c.1.5-.1 1-.5 1.200l-2.7 1.600c-.5.3-1.2.2-1.6-.3l-2-2.400c-.4-.5-.4-1.2.1-1.700Z'

export const CallIcon = () => (
  <Icon>
    <path class="solid" d={HANDSET} transform="rotate(-135 12 13)" />
  </Icon>
)
export const HangUpIcon = () => (
  <Icon>
    <path class="solid" d={HANDSET} />
  </Icon>
)
export const MicrophoneIcon = () => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.500a6.5 6.5 0 0 0 13 0M12 18v3" />
  </Icon>
)
export const MicrophoneOffIcon = () => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.500a6.5 6.5 0 0 0 13 0M12 18v3M4 3.500l16 17" />
  </Icon>
)
export const PauseIcon = () => (
  <Icon>
    <path d="M8.5 5v14M15.5 5v14" stroke-width="3" />
  </Icon>
)
export const ResumeIcon = () => (
  <Icon>
    <path class="solid" d="M7 4.500v15l12.5-7.500z" />
  </Icon>
)
export const KeypadIcon = () => (
  <Icon>
    {[5, 12, 19].flatMap((y) =>
      [5, 12, 19].map((x) => <circle key={`${x}-${y}`} class="solid" cx={x} cy={y} r="1.9" />),
    )}
  </Icon>
)
export const EraseIcon = () => (
  <Icon>
    <path d="M8 5h12v14H8l-5.5-7zM11.5 9.500l5 5M16.5 9.500l-5 5" />
  </Icon>
)
export const IncomingIcon = () => (
  <Icon>
    <path d="M18 6 7 17M7 9v8h8" />
  </Icon>
)
export const OutgoingIcon = () => (
  <Icon>
    <path d="M6 18 17 7M9 7h8v8" />
  </Icon>
)
