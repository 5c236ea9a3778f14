/** The tone that is sent, and what is heard of the far end. */
export interface Sound {
  /** Resolves when sound flows: Firefox takes a second or more to open its device. */
  readonly ready: Promise<void>
  /** A fresh track for each call: a client stops the one it was given. */
  readonly stream: () => MediaStream
  readonly listen: (connection: RTCPeerConnection) => void
  readonly hears: (hz: number, timeoutMs: number) => Promise<number>
  readonly hearsNothing: (timeoutMs: number) => Promise<number>
}

const OPENING_MS = 15_000
const LOOK_EVERY_MS = 20
/** A verdict needs this many looks in a row: one might be a click. */
const LOOKS = 8
/** How far a tone may be from the frequency that is expected. */
const TOLERANCE_HZ = 15
/** Below this it is silence: -50 dBFS. */
const SILENCE = 0.003

interface Heard {
  readonly hz: number
  readonly volume: number
}

export function createSound(toneHz: number): Sound {
  const context = new AudioContext()
  // In some browsers this never settles without a click, though sound flows: not awaited.
  context.resume().catch(() => undefined)
  const oscillator = new OscillatorNode(context, { frequency: toneHz })
  const gain = new GainNode(context, { gain: 0.5 })
  oscillator.connect(gain)
  oscillator.start()
  const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 })
  const player = new Audio()
  player.autoplay = true
  let source: MediaStreamAudioSourceNode | undefined

  const attach = (stream: MediaStream): void => {
    // Chromium gives a remote track to WebAudio only while an element plays it.
    player.srcObject = stream
    player.play().catch(() => undefined)
    source?.disconnect()
    source = context.createMediaStreamSource(stream)
    source.connect(analyser)
  }

  return {
    ready: running(context),
    stream: () => {
      const destination = context.createMediaStreamDestination()
      gain.connect(destination)
      return destination.stream
    },
    listen: (connection) => {
      connection.addEventListener('track', ({ track }) => attach(new MediaStream([track])))
    },
    hears: (hz, timeoutMs) =>
      settled(analyser, `a tone of ${hz} Hz`, timeoutMs, (heard) => {
        return heard.volume > SILENCE && Math.abs(heard.hz - hz) <= TOLERANCE_HZ
      }),
    hearsNothing: (timeoutMs) => settled(analyser, 'silence', timeoutMs, (heard) => heard.volume <= SILENCE),
  }
}

function running(context: AudioContext): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`the audio context is ${context.state}: is there a sound device?`))
    const timer = setTimeout(late, OPENING_MS)
    const look = (): void => {
      if (context.state !== 'running') return
      clearTimeout(timer)
      resolve()
    }
    context.addEventListener('statechange', look)
    look()
  })
}

/** Looks until `accepts` was true a few times in a row. */
function settled(
  analyser: AnalyserNode,
  what: string,
  timeoutMs: number,
  accepts: (heard: Heard) => boolean,
): Promise<number> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    let streak = 0
    const timer = setInterval(() => {
      const heard = listen(analyser)
      streak = accepts(heard) ? streak + 1 : 0
      const tookMs = performance.now() - startedAt
      if (streak >= LOOKS) {
        clearInterval(timer)
        resolve(tookMs)
      } else if (tookMs > timeoutMs) {
        clearInterval(timer)
        reject(
          new Error(`no ${what} within ${timeoutMs} ms; last ${heard.hz.toFixed(0)} Hz at ${heard.volume.toFixed(4)}`),
        )
      }
    }, LOOK_EVERY_MS)
  })
}

function listen(analyser: AnalyserNode): Heard {
  const samples = new Float32Array(analyser.fftSize)
  analyser.getFloatTimeDomainData(samples)
  const volume = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
  return { hz: strongestHz(analyser), volume }
}

/** Frequency of the strongest bin, refined by a parabola through it and its neighbours. */
function strongestHz(analyser: AnalyserNode): number {
  const decibels = new Float32Array(analyser.frequencyBinCount)
  analyser.getFloatFrequencyData(decibels)
  let peak = 1
  for (let bin = 1; bin < decibels.length - 1; bin++) if ((decibels[bin] ?? 0) > (decibels[peak] ?? 0)) peak = bin
  const [left, middle, right] = [decibels[peak - 1] ?? 0, decibels[peak] ?? 0, decibels[peak + 1] ?? 0]
  const bend = left - 2 * middle + right
  const shift = Number.isFinite(bend) && bend !== 0 ? (left - right) / (2 * bend) : 0
  return ((peak + shift) * analyser.context.sampleRate) / analyser.fftSize
}
