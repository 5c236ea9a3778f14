/** Something people must be told; screen readers say it at once. */
export function Notice(props: {
  readonly notice: { readonly words: string; readonly problem: boolean } | undefined
  readonly onDismiss: () => void
}) {
  const { notice } = props
  return (
    <div role={notice?.problem === true ? 'alert' : 'status'} class="notice-place">
      {notice !== undefined && (
        <p id="notice" class={notice.problem ? 'notice problem' : 'notice'}>
          <span>{notice.words}</span>
          <button type="button" class="quiet small" onClick={props.onDismiss}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  )
}
