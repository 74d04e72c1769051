// The booth's handset in this window: its ear is our loudspeaker, its mouth our microphone.
"use strict";

const TAKEN = 4001; // as the desk says it: another window has the sound now
const QUIET = -60; // dB under full scale
const sound = {context: null, socket: null, stream: null, state: "off", report: {}};
const MICROPHONE = {audio: {echoCancellation: true, channelCount: 1}};

function showSound(state) {
  sound.state = state;
  const joined = sound.context !== null;
  const speaks = state === "on" || state === "muted";
  find("#sound-state").textContent = words[`sound-${state}`];
  find("#sound").textContent = words[joined ? "sound-leave" : "sound-join"];
  find("#sound-mute").disabled = !speaks;
  find("#sound-mute").setAttribute("aria-pressed", state === "muted");
  if (!joined) for (const meter of [find("#heard"), find("#said")]) meter.value = QUIET;
}

function leaveSound(why = "off") {
  const {context, socket, stream} = sound;
  Object.assign(sound, {context: null, socket: null, stream: null});
  for (const track of stream?.getTracks() ?? []) track.stop();
  if (socket) socket.onclose = socket.onmessage = null;
  socket?.close();
  context?.close();
  showSound(why);
}

// What happens to a window that has left meanwhile is of no interest.
async function joinSound() {
  const context = new AudioContext({latencyHint: "interactive"});
  sound.context = context;
  showSound("joining");
  try {
    await context.audioWorklet.addModule("/worklet.js");
    await context.resume();
  } catch {
    if (sound.context === context) leaveSound("never");
    return;
  }
  if (sound.context !== context) return;
  const node = new AudioWorkletNode(context, "booth-sound", {channelCount: 1, channelCountMode: "explicit"});
  node.connect(context.destination);
  carrySound(node);
  await takeMicrophone(context, node);
}

function carrySound(node) {
  const socket = new WebSocket(`ws://${location.host}/sound`);
  socket.binaryType = "arraybuffer";
  sound.socket = socket;
  socket.onmessage = ({data}) => node.port.postMessage(data, [data]);
  socket.onclose = ({code}) => leaveSound(code === TAKEN ? "taken" : "lost");
  node.port.onmessage = ({data}) => {
    if (data instanceof ArrayBuffer) {
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    } else if (sound.socket === socket) {
      sound.report = data;
      find("#heard").value = data.heard;
      find("#said").value = data.said;
    }
  };
}

async function takeMicrophone(context, node) {
  showSound("asking");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(MICROPHONE);
  } catch (problem) {
    if (sound.context === context) showSound(problem.name === "NotAllowedError" ? "deaf" : "bare");
    return;
  }
  if (sound.context !== context) {
    for (const track of stream.getTracks()) track.stop();
    return;
  }
  sound.stream = stream;
  const source = context.createMediaStreamSource(stream);
  source.connect(node);
  stream.getAudioTracks()[0].onended = () => {
    source.disconnect();
    if (sound.context === context) showSound("gone");
  };
  showSound("on");
}

find("#sound").addEventListener("click", () => (sound.context ? leaveSound() : joinSound()));
find("#sound-mute").addEventListener("click", () => {
  const [track] = sound.stream.getAudioTracks();
  track.enabled = !track.enabled;
  showSound(track.enabled ? "on" : "muted");
});
