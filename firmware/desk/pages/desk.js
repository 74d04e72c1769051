// The booth in a browser: keys and far end go out as [act, about], what the booth shows comes in.
"use strict";

const words = JSON.parse(document.getElementById("words").textContent);
const find = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const lcd = find("#lcd");
const SHORT_CUTS = {Enter: "A", ArrowUp: "B", "+": "B", ArrowDown: "C", "-": "C", Escape: "D", Backspace: "D"};
const KEPT = 200; // lines of the modem log

let socket = null;
let wait = 500; // milliseconds until the next try to reach the booth

function send(act, about = "") {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify([act, about]));
}

// Keys. Each finger (a pointer or a key of the keyboard) holds one key down until it lets go.

const fingers = new Map();

function press(finger, key) {
  if (fingers.has(finger)) return;
  const already = [...fingers.values()].includes(key);
  fingers.set(finger, key);
  if (!already) send("down", key);
  mark(key, true);
}

function release(finger) {
  const key = fingers.get(finger);
  if (!fingers.delete(finger) || [...fingers.values()].includes(key)) return;
  send("up", key);
  mark(key, false);
}

function mark(key, down) {
  find(`.keys [data-key="${key}"]`).classList.toggle("down", down);
}

function releaseAll() {
  for (const finger of [...fingers.keys()]) release(finger);
}

function keyOf(event) {
  const button = event.target.closest(".keys button");
  if (button && (event.key === "Enter" || event.key === " ")) return button.dataset.key;
  if (event.target.closest("select")) return null;
  if (event.target.closest("button, a") && (event.key === "Enter" || event.key === " ")) return null;
  if (event.target.closest("#log") && event.key.startsWith("Arrow")) return null;
  return SHORT_CUTS[event.key] ?? (/^[0-9*#]$/.test(event.key) ? event.key : null);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "h" && !event.repeat && !event.target.closest("select")) find("#hook")?.click();
  const key = keyOf(event);
  if (key === null) return;
  event.preventDefault();
  if (!event.repeat) press(event.code, key);
});

document.addEventListener("keyup", (event) => {
  if (fingers.has(event.code)) event.preventDefault(); // else Space would also click
  release(event.code);
});

for (const button of all(".keys button")) {
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    button.setPointerCapture(event.pointerId);
    press(`pointer ${event.pointerId}`, button.dataset.key);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    button.addEventListener(end, (event) => release(`pointer ${event.pointerId}`));
  }
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("click", (event) => {
    // A screen reader's or a switch's click comes without a pointer.
    if (event.detail !== 0) return;
    press("click", button.dataset.key);
    release("click");
  });
}

// A mouse must not leave the focus on a button, where Enter would press it again instead of A.
document.addEventListener("mousedown", (event) => {
  if (!event.target.closest("button")) return;
  event.preventDefault();
  document.activeElement?.blur();
});
window.addEventListener("blur", releaseAll);

// Hook, far end, modem, troubles.

let plugged = ""; // the modem

find("#hook")?.addEventListener("click", () => send("hook", find("#hook").classList.contains("up") ? "down" : "up"));
find("#call-in").addEventListener("click", () => send("call-in", find("#caller").value));
find("#modem").addEventListener("change", () => (find("#swap").disabled = find("#modem").value === plugged));
find("#swap").addEventListener("click", () => {
  find("#swap").disabled = true;
  send("modem", find("#modem").value);
});
for (const button of all("[data-act]")) {
  button.addEventListener("click", () => {
    const {act, about} = button.dataset;
    const undo = act !== "far" && button.getAttribute("aria-pressed") === "true";
    send(undo ? `no-${act}` : act, about);
  });
}

// The screen: whole multiples of a device pixel, or its letters blur.

function fit() {
  const device = find(".device");
  const box = getComputedStyle(device);
  const around = getComputedStyle(device.parentElement);
  const margin = 6 + 2 * (parseFloat(box.paddingLeft) + parseFloat(around.paddingLeft));
  const beside = box.display === "grid" ? 272 : 0; // keys at its side
  const alone = matchMedia("(max-width: 67rem)").matches;
  const room = document.documentElement.clientWidth - margin - beside - (alone ? 0 : 390);
  const below = beside ? 40 : device.offsetHeight - find(".glass").offsetHeight + 40;
  const across = Math.floor((room * devicePixelRatio) / lcd.width);
  const down = Math.floor(((innerHeight - below) * devicePixelRatio) / lcd.height);
  const least = Math.round((beside ? 1 : 2) * devicePixelRatio);
  const most = Math.round(3 * devicePixelRatio);
  const times = Math.max(1, Math.min(across, Math.max(down, least), most));
  lcd.style.width = `${(lcd.width * times) / devicePixelRatio}px`;
}

let drawn = Promise.resolve(); // pictures are unpacked one after the other, or they overtake

async function draw(png) {
  const picture = await createImageBitmap(png);
  if (lcd.width !== picture.width || lcd.height !== picture.height) {
    [lcd.width, lcd.height] = [picture.width, picture.height];
    fit();
  }
  lcd.getContext("2d").drawImage(picture, 0, 0);
}

addEventListener("resize", fit);
fit();

// What the booth says.

const shown = {
  hook(position) {
    const hook = find("#hook");
    if (!hook) return;
    hook.classList.toggle("up", position === "up");
    hook.textContent = words[position === "up" ? "replace" : "lift"];
  },
  lamps(glows) {
    for (const [name, glow] of Object.entries(glows)) {
      const lamp = find(`[data-lamp="${name}"]`);
      lamp.dataset.glow = glow;
      lamp.querySelector(".unseen").textContent = `: ${words[glow]}`;
    }
  },
  far({state, number, next, silent}) {
    find("#far").textContent = [number, words[`far-${state}`] ?? state].filter(Boolean).join(" · ");
    for (const button of all('[data-act="far"]')) button.setAttribute("aria-pressed", button.dataset.about === next);
    find("#answer").disabled = state !== "dialling" && state !== "alerting";
    find("#hang-up").disabled = state === "idle";
    find("#silent").disabled = state !== "talking";
    find("#call-in").disabled = state !== "idle" && state !== "talking";
    find("#silent").setAttribute("aria-pressed", silent);
  },
  troubles(names) {
    for (const button of all('[data-act="trouble"]')) {
      button.setAttribute("aria-pressed", names.includes(button.dataset.about));
    }
    find("#sim-pin").hidden = !names.includes("sim-locked");
  },
  unfit(names) {
    for (const button of all('[data-act="trouble"]')) {
      button.disabled = names.includes(button.dataset.about);
      if (button.disabled) button.setAttribute("aria-describedby", "unfit");
      else button.removeAttribute("aria-describedby");
    }
    find("#unfit").hidden = names.length === 0;
  },
  modem(name) {
    plugged = find("#modem").value = name;
    find("#swap").disabled = true;
  },
  lines(texts) {
    const mirror = find("#mirror");
    const shape = (text) => text.replace(/[0-9]+/g, "0"); // a running clock is not worth a word
    const before = new Set([...mirror.children].map((line) => shape(line.textContent)));
    mirror.replaceChildren(...texts.map((text) => element("li", text)));
    const news = texts.filter((text) => text && !before.has(shape(text)));
    if (news.length) find("#aloud").replaceChildren(...news.map((text) => element("p", text)));
  },
  log(lines) {
    held.push(...lines);
    held.splice(0, held.length - KEPT);
    if (find("#pause").getAttribute("aria-pressed") !== "true") writeLog();
  },
};

function element(name, text, kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

const held = []; // log lines not yet written

function writeLog() {
  const log = find("#log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
  for (const [time, from, text] of held.splice(0)) {
    const line = element("li", "", from);
    line.append(element("time", time), ` ${text}`);
    log.append(line);
  }
  while (log.children.length > KEPT) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

find("#pause").addEventListener("click", () => {
  const paused = find("#pause").getAttribute("aria-pressed") !== "true";
  find("#pause").setAttribute("aria-pressed", paused);
  find("#pause").textContent = words[paused ? "resume" : "pause"];
  if (!paused) writeLog();
});

function reach() {
  socket = new WebSocket(`ws://${location.host}/booth`);
  socket.binaryType = "blob";
  socket.onopen = () => {
    wait = 500;
    find("#lost").hidden = true;
    find("#log").replaceChildren();
  };
  socket.onmessage = ({data}) => {
    if (data instanceof Blob) drawn = drawn.then(() => draw(data));
    else for (const [name, value] of Object.entries(JSON.parse(data))) shown[name](value);
  };
  socket.onclose = () => {
    fingers.clear();
    for (const key of all(".keys .down")) key.classList.remove("down");
    find("#lost").hidden = false;
    setTimeout(reach, wait);
    wait = Math.min(wait * 2, 8000);
  };
}

history.replaceState(null, "", location.pathname + location.search.replace(/[?&]token=[^&]*/, "").replace(/^&/, "?"));
reach();
