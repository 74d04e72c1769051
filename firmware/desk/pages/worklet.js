// Between the booth's frames (20 ms, 16 bits, 8 kHz) and this machine's sound: plays what comes, gives what is said.
"use strict";

const RATE = 8000;
const FRAME = 160; // samples
const LEAD = 3 * FRAME; // held before the ear begins to speak
const GOAL = 2.5 * FRAME; // held on the average while it speaks
const CAP = 10 * FRAME; // beyond 200 ms the oldest goes
const ROOM = 2048; // samples, a power of two
const FADE = 40; // samples: 5 ms make a cut inaudible
const DECAY = 0.9; // of one sample to the next, when no more comes
const SWAY = 0.005; // the most that the speed gives way to the other clock
const WIDTH = 64; // samples of 8 kHz under the filter
const CUTOFF = 3650; // Hz: passes what a telephone passes, and nothing is left at 4.2 kHz
const PHASES = 64;
const TOLD = 0.1; // seconds between two reports

// Any rate to any other, by a windowed sinc: one filter limits the band both for the way up and for the way down.
class Resampler {
  constructor(from, to) {
    this.step = from / to; // input samples for each output sample
    this.at = 0; // of the next output, after the newest input; in input samples
    const half = Math.ceil((WIDTH / 2) * (Math.max(from, to) === from ? from / RATE : 1));
    this.taps = 2 * half;
    this.table = Array.from({length: PHASES + 1}, (_, phase) => filter(half, phase / PHASES, (2 * CUTOFF) / from));
    this.past = new Float32Array(2 * this.taps); // everything twice, so that the newest `taps` always lie in a row
    this.newest = 0;
  }

  push(sample) {
    this.newest = (this.newest + 1) % this.taps;
    this.past[this.newest] = this.past[this.newest + this.taps] = sample;
  }

  now() {
    const phase = this.at * PHASES;
    const row = Math.floor(phase);
    const rest = phase - row;
    const [low, high] = [this.table[row], this.table[row + 1]];
    const oldest = this.newest + 1;
    let sum = 0;
    for (let tap = 0; tap < this.taps; tap++) sum += this.past[oldest + tap] * (low[tap] + rest * (high[tap] - low[tap]));
    return sum;
  }

  // One output sample; `next` gives an input sample whenever one is needed.
  pull(next, speed = 1) {
    for (; this.at >= 1; this.at -= 1) this.push(next());
    const sample = this.now();
    this.at += this.step * speed;
    return sample;
  }

  // One input sample; `give` takes the output samples that come of it.
  feed(sample, give) {
    this.push(sample);
    for (; this.at < 1; this.at += this.step) give(this.now());
    this.at -= 1;
  }
}

// The weights of inputs around an output that lies `late` after the middle one; a Blackman window, and a sum of one.
function filter(half, late, cut) {
  const weights = Float64Array.from({length: 2 * half}, (_, tap) => {
    const x = tap - half + 1 - late;
    const angle = (Math.PI * x) / half;
    const window = Math.abs(x) < half ? 0.42 + 0.5 * Math.cos(angle) + 0.08 * Math.cos(2 * angle) : 0;
    return window * (x === 0 ? 1 : Math.sin(Math.PI * cut * x) / (Math.PI * cut * x));
  });
  const sum = weights.reduce((all, weight) => all + weight);
  return Float32Array.from(weights, (weight) => weight / sum);
}

// Frames that come unevenly, from a clock that is not ours, given out evenly sample by sample.
class Jitter {
  constructor() {
    this.samples = new Float32Array(ROOM);
    this.first = 0;
    this.count = 0;
    this.average = GOAL;
    this.playing = false;
    this.risen = 0; // samples since it began to play
    this.last = 0;
    this.counts = {played: 0, underruns: 0, dropped: 0};
  }

  put(frame) {
    if (this.count + frame.length > CAP) this.drop(this.count + frame.length - LEAD);
    for (const sample of frame) this.samples[(this.first + this.count++) % ROOM] = sample / 32768;
    this.counts.played += 1;
    if (this.playing || this.count < LEAD) return;
    [this.playing, this.risen, this.average] = [true, 0, GOAL];
  }

  // Leap over samples, from the first to what follows them by a cross-fade.
  drop(wanted) {
    const leap = Math.min(wanted, this.count - FADE);
    for (let n = 0; n < FADE; n++) {
      const [old, after] = [(this.first + n) % ROOM, (this.first + leap + n) % ROOM];
      this.samples[after] += (1 - n / FADE) * (this.samples[old] - this.samples[after]);
    }
    this.first = (this.first + leap) % ROOM;
    this.count -= leap;
    this.average = this.count;
    this.counts.dropped += leap / FRAME;
  }

  next() {
    if (this.playing && this.count === 0) {
      this.playing = false;
      this.counts.underruns += 1;
    }
    if (!this.playing) return (this.last *= DECAY);
    const gain = Math.min(1, ++this.risen / FADE);
    const sample = this.samples[this.first];
    this.first = (this.first + 1) % ROOM;
    this.count -= 1;
    this.last = gain * sample + (1 - gain) * this.last * DECAY;
    return this.last;
  }

  // How fast to play, so that what is held stays the same although the other clock is not ours; once for each block.
  speed() {
    this.average += (this.count - this.average) * 0.002;
    const excess = (this.average - GOAL) / GOAL;
    return 1 + Math.max(-SWAY, Math.min(SWAY, excess * SWAY));
  }
}

// How loud it was since it was asked the last time, in dB under full scale.
class Level {
  constructor() {
    [this.power, this.count] = [0, 0];
  }

  add(sample) {
    this.power += sample * sample;
    this.count += 1;
  }

  take() {
    const level = 10 * Math.log10(this.power / Math.max(1, this.count) + 1e-10);
    [this.power, this.count] = [0, 0];
    return level;
  }
}

class BoothSound extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ear = new Jitter();
    this.up = new Resampler(RATE, sampleRate);
    this.down = new Resampler(sampleRate, RATE);
    [this.heard, this.said] = [new Level(), new Level()];
    [this.frame, this.filled, this.frames, this.untold] = [new Int16Array(FRAME), 0, 0, 0];
    this.next = () => this.ear.next();
    this.give = (sample) => this.say(sample);
    this.port.onmessage = ({data}) => this.ear.put(new Int16Array(data));
  }

  process([microphone], [[loudspeaker, ...others]]) {
    const speed = this.ear.speed();
    for (let n = 0; n < loudspeaker.length; n++) {
      loudspeaker[n] = this.up.pull(this.next, speed);
      this.heard.add(loudspeaker[n]);
    }
    for (const other of others) other.set(loudspeaker);
    if (microphone.length) for (const sample of microphone[0]) this.down.feed(sample, this.give);
    this.tell(loudspeaker.length);
    return true;
  }

  say(sample) {
    this.said.add(sample);
    this.frame[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
    if (this.filled < FRAME) return;
    this.port.postMessage(this.frame.buffer, [this.frame.buffer]);
    [this.frame, this.filled, this.frames] = [new Int16Array(FRAME), 0, this.frames + 1];
  }

  tell(samples) {
    this.untold += samples;
    if (this.untold < TOLD * sampleRate) return;
    this.untold = 0;
    this.port.postMessage({heard: this.heard.take(), said: this.said.take(), sent: this.frames, ...this.ear.counts});
  }
}

registerProcessor("booth-sound", BoothSound);
