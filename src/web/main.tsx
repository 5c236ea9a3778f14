import * as JsSIP from 'jssip'
import { render } from 'preact'

const root = document.getElementById('app')
if (root !== null) render(<p>Trunkline {JsSIP.version}</p>, root)
