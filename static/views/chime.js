// @ts-check
/** Two short tones, for those who asked to be called. A browser plays them only after a click in the page. */

const TONES_HZ = [660, 880];
const TONE_S = 0.22;
const LOUDNESS = 0.2;

/** @type {AudioContext | null} */
let audio = null;

/** To be called from a click; lets the tones be heard once, so that the visitor knows them. */
export function enableSound() {
  audio ??= new AudioContext();
  chime();
}

export function chime() {
  audio ??= new AudioContext();
  void audio.resume();
  for (const [k, frequency] of TONES_HZ.entries()) {
    const from = audio.currentTime + k * TONE_S;
    const tone = new OscillatorNode(audio, { frequency });
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.setValueAtTime(LOUDNESS, from);
    gain.gain.linearRampToValueAtTime(0, from + TONE_S);
    tone.connect(gain).connect(audio.destination);
    tone.start(from);
    tone.stop(from + TONE_S);
  }
}
