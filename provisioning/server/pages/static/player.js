// A call's recording: two ears in one picture, seeking with mouse and keys, each ear alone.
"use strict";

const player = document.getElementById("player");
const audio = player.querySelector("audio:not(.memo)");
const STEP = 5, LEAP = 15; // seconds

function clock(seconds) {
  const whole = Math.floor(Math.abs(seconds));
  const minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60);
  const tail = String(whole % 60).padStart(2, "0");
  const said = hours ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
  return seconds <= -1 ? `−${said}` : said;
}

// Both ears through a splitter of our own, so that one may be heard alone, then on both sides.
class Ears {
  #context = null;
  #gains = [];
  #wanted = "both";

  wake() {
    if (!this.#context) {
      this.#context = new AudioContext();
      const source = this.#context.createMediaElementSource(audio);
      const splitter = this.#context.createChannelSplitter(2);
      const merger = this.#context.createChannelMerger(2);
      source.connect(splitter);
      for (const from of [0, 1]) {
        for (const to of [0, 1]) {
          const gain = this.#context.createGain();
          splitter.connect(gain, from).connect(merger, 0, to);
          this.#gains.push({ from, to, gain });
        }
      }
      merger.connect(this.#context.destination);
      this.hear(this.#wanted);
    }
    this.#context.resume();
  }

  hear(wanted) {
    this.#wanted = wanted;
    const alone = { left: 0, right: 1 }[wanted];
    for (const { from, to, gain } of this.#gains) {
      gain.gain.value = Number(alone === undefined ? from === to : from === alone);
    }
  }
}

class Player {
  #ears = new Ears();
  #wave = player.querySelector(".wave");
  #canvas = player.querySelector("canvas");
  #button = player.querySelector(".play-button");
  #answer = Number(player.dataset.answer);
  #seconds = Number(player.dataset.seconds);
  #peaks = Uint8Array.from(atob(player.dataset.peaks), (sign) => sign.charCodeAt(0));
  #volume = player.querySelector(".volume input");

  constructor() {
    audio.controls = false;
    audio.hidden = true;
    for (const part of player.querySelectorAll("[hidden]")) if (part !== audio) part.hidden = false;
    this.#wave.setAttribute("aria-valuemax", Math.round(this.#seconds));
    this.#button.addEventListener("click", () => this.toggle());
    for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, () => this.#said());
    audio.addEventListener("timeupdate", () => this.draw());
    audio.addEventListener("seeked", () => this.draw());
    audio.addEventListener("loadedmetadata", () => {
      if (Number.isFinite(audio.duration)) this.#seconds = audio.duration;
      if (audio.currentTime === 0 && this.#answer > 0) audio.currentTime = this.#answer;
      this.draw();
    });
    this.#listenToHands();
    new ResizeObserver(() => this.draw()).observe(this.#wave);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.#said();
    this.draw();
    if (audio.readyState >= 1 && audio.currentTime === 0) audio.currentTime = this.#answer;
  }

  #listenToHands() {
    this.#wave.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.#wave.setPointerCapture(event.pointerId);
      this.#point(event);
    });
    this.#wave.addEventListener("pointermove", (event) => {
      if (this.#wave.hasPointerCapture(event.pointerId)) this.#point(event);
    });
    for (const mark of player.querySelectorAll(".marks button")) {
      mark.addEventListener("click", () => this.go(Number(mark.dataset.seconds)));
    }
    for (const ear of player.querySelectorAll(".ears input")) {
      ear.addEventListener("change", () => this.#ears.hear(ear.value));
    }
    this.#volume.addEventListener("input", () => { audio.volume = Number(this.#volume.value); });
    player.querySelector(".speed select").addEventListener("change", (event) => {
      audio.playbackRate = Number(event.target.value);
    });
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  #point(event) {
    const box = this.#wave.getBoundingClientRect();
    this.go(((event.clientX - box.left) / box.width) * this.#seconds);
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const field = event.target.closest("input, select, textarea, button, a, summary, audio");
    const acts = {
      " ": () => this.toggle(), k: () => this.toggle(),
      j: () => this.go(audio.currentTime - LEAP), l: () => this.go(audio.currentTime + LEAP),
      ArrowLeft: () => this.go(audio.currentTime - STEP), ArrowRight: () => this.go(audio.currentTime + STEP),
      Home: () => this.go(0), End: () => this.go(this.#seconds),
      1: () => this.#choose("both"), 2: () => this.#choose("left"), 3: () => this.#choose("right"),
    };
    const onWave = event.target === this.#wave;
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || (field && !onWave) || (["Home", "End"].includes(event.key) && !onWave)) return;
    event.preventDefault();
    act();
  }

  #choose(ear) {
    player.querySelector(`.ears input[value=${ear}]`).checked = true;
    this.#ears.hear(ear);
  }

  toggle() {
    if (!audio.paused) return audio.pause();
    this.#ears.wake();
    return audio.play();
  }

  go(seconds) {
    audio.currentTime = Math.min(Math.max(seconds, 0), this.#seconds);
    this.draw();
  }

  #said() {
    const playing = !audio.paused && !audio.ended;
    this.#button.textContent = playing ? `❚❚ ${this.#button.dataset.stop}` : `▶ ${this.#button.dataset.play}`;
    if (playing) this.#run();
    this.draw();
  }

  #run() {
    if (audio.paused || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.draw();
    requestAnimationFrame(() => this.#run());
  }

  draw() {
    const now = audio.currentTime;
    player.querySelector("[data-now]").textContent = clock(now - this.#answer);
    this.#wave.setAttribute("aria-valuenow", Math.round(now));
    const said = this.#wave.dataset.of.replace("{now}", clock(now - this.#answer)).replace("{all}", clock(this.#seconds - this.#answer));
    this.#wave.setAttribute("aria-valuetext", said);
    const scale = devicePixelRatio || 1, { width, height } = this.#canvas.getBoundingClientRect();
    if (this.#canvas.width !== Math.round(width * scale)) this.#canvas.width = Math.round(width * scale);
    if (this.#canvas.height !== Math.round(height * scale)) this.#canvas.height = Math.round(height * scale);
    const pen = this.#canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    const ink = (name) => style.getPropertyValue(name).trim();
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.#ear(pen, 0, width, height * 0.3, height * 0.2, ink("--accent"), ink("--field"));
    this.#ear(pen, 1, width, height * 0.8, height * 0.2, ink("--good"), ink("--field"));
    this.#line(pen, (this.#answer / this.#seconds) * width, height, ink("--field"), [3, 3]);
    this.#line(pen, (now / this.#seconds) * width, height, ink("--bad"), []);
  }

  // Bars of 3 px: the loudest of what each of them covers. What has been played stands out.
  #ear(pen, ear, width, middle, most, colour, rest) {
    const count = this.#peaks.length / 2, bars = Math.max(1, Math.floor(width / 5));
    const played = (audio.currentTime / this.#seconds) * width;
    for (let bar = 0; bar < bars; bar++) {
      const first = Math.floor((bar * count) / bars), last = Math.max(first + 1, Math.floor(((bar + 1) * count) / bars));
      let peak = 0;
      for (let at = first; at < last && at < count; at++) peak = Math.max(peak, this.#peaks[2 * at + ear]);
      const tall = Math.max(1, Math.sqrt(peak / 255) * most), x = bar * 5 + 1;
      pen.fillStyle = tall <= 1.5 ? rest : colour;
      pen.globalAlpha = x < played ? 1 : 0.62;
      pen.beginPath();
      pen.roundRect(x, middle - tall, 3, 2 * tall, 1.5);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  #line(pen, x, height, colour, dashes) {
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5;
    pen.setLineDash(dashes);
    pen.beginPath();
    pen.moveTo(Math.max(1, x), 0);
    pen.lineTo(Math.max(1, x), height);
    pen.stroke();
  }
}

if (audio) new Player();
