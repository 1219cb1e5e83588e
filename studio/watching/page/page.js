// The page: what is shown of a frame, and how a person moves through them.
const { views, every, width: WIDE, height: HIGH } = told.pictures;
const LAST = told.frames - 1, KEPT = 90;
const NAMES = told.joints.map(one => one.joint.replaceAll("_", " "));
const hidden = new Set();
let frame = -1, playing = 0;

// Pictures are decoded when they are needed, and the last ones are kept.
const decoded = new Map();
function picture(view, place, then) {
  const key = `${view} ${place}`;
  let image = decoded.get(key);
  if (!image) {
    image = new Image();
    image.src = `data:image/webp;base64,${views[view].images[place]}`;
    if (decoded.size >= KEPT * views.length) decoded.delete(decoded.keys().next().value);
    decoded.set(key, image);
  }
  if (!image.complete && then) image.addEventListener("load", then, { once: true });
  return image;
}

const canvases = views.map(({ name }) => {
  const figure = $("views").appendChild(document.createElement("figure"));
  const canvas = figure.appendChild(document.createElement("canvas"));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}, with the lines of the legend`);
  figure.appendChild(document.createElement("figcaption")).textContent = name;
  return canvas;
});

function drawView(view) {
  const canvas = canvases[view], shown = frame, place = Math.floor(frame / every);
  const image = picture(view, place, () => { if (frame === shown) drawView(view); });
  for (let ahead = 1; ahead <= 3 && place + ahead < views[view].images.length; ahead += 1) picture(view, place + ahead);
  if (!image.complete) return;
  const wide = Math.round(canvas.clientWidth * (devicePixelRatio || 1)), high = Math.round(wide * HIGH / WIDE);
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, wide, high);
  drawLines(context, views[view].eye, frame, hidden, wide, high);
  canvas.dataset.drawn = frame;
}

const charts = [], captions = NAMES.map((name, joint) => {
  const figure = $("joints").appendChild(document.createElement("figure"));
  const caption = figure.appendChild(document.createElement("figcaption"));
  charts.push(jointChart(figure.appendChild(document.createElement("canvas")), joint));
  return caption;
});
charts.push(votesChart($("votes")), doubtChart($("doubt")));

const bold = words => Object.assign(document.createElement("b"), { textContent: words });
function tellJoint(joint) {
  const { lag, mean_error: usual, max_error: most } = told.joints[joint];
  const error = frame ? Math.abs(number("state", frame, joint) - number("action", frame - 1, joint)) : NaN;
  const lagging = lag === null ? "no lag to tell" : `lag ${lag}`;
  captions[joint].replaceChildren(bold(NAMES[joint]),
    ` ${number("state", frame, joint).toFixed(1)} · ${lagging} · error ${usual.toFixed(1)}, max ${most.toFixed(1)}` +
    (Number.isNaN(error) ? "" : `, now ${error.toFixed(1)}`));
}

function tellMoment() {
  const place = question[frame], age = frame - told.asked[place], phase = told.phases.filter(([from]) => from <= frame).at(-1);
  const left = Math.max(0, told.sure[place] - age);
  const rows = [
    ["phase", phase ? phase[1] : ""],
    ["asked", age ? `${age} frame${age === 1 ? "" : "s"} ago` : "in this frame"],
    ["asks again", `in ${left} frame${left === 1 ? "" : "s"}`],
    ["took", `${(told.seconds[place] * 1000).toFixed(0)} ms`],
    ["gripper", `${number("state", frame, 5).toFixed(0)} → ${number("action", frame, 5).toFixed(0)}`],
  ];
  $("moment").replaceChildren(...rows.flatMap(([name, value]) => [
    Object.assign(document.createElement("dt"), { textContent: name }),
    Object.assign(document.createElement("dd"), { textContent: value })]));
  const said = votes(frame), degrees = value => Number.isFinite(value) ? `${value.toFixed(1)} deg` : "unknown";
  const range = said.length > 1 ? `${Math.min(...said).toFixed(0)} to ${Math.max(...said).toFixed(0)}` : said.map(one => one.toFixed(0)).join();
  $("votes-words").replaceChildren(bold("Votes for the gripper"),
    (said.length ? ` ${said.length} chunk${said.length === 1 ? " says" : "s say"} ${range}` : " none yet") +
    `, driven ${number("action", frame, 5).toFixed(0)} · blue ${CLOSED.toFixed(0)}, amber ${OPEN.toFixed(0)}, newest below`);
  $("doubt-words").replaceChildren(bold("Doubt"), ` chunks apart ${degrees(apart[frame])}` +
    (told.samples && told.draws ? `, ${told.samples} samples spread ${degrees(unsure[place])}` : ""));
}

/** Show a frame. */
function show(wanted) {
  const next = Math.max(0, Math.min(LAST, wanted));
  if (next === frame) return;
  frame = next;
  redraw();
}
function redraw() {
  document.body.dataset.frame = frame;
  views.forEach((_, view) => drawView(view));
  charts.forEach(chart => chart.draw(frame));
  NAMES.forEach((_, joint) => tellJoint(joint));
  tellMoment();
  $("scrub").value = frame;
  $("clock").textContent = `${(frame / told.fps).toFixed(2)} s · ${frame} of ${LAST}`;
}

// Playing goes by the clock: a slow machine leaves frames out.
function play() {
  if (playing) return pause();
  if (frame === LAST) show(0);
  const began = performance.now() - frame * 1000 / told.fps;
  const tick = now => {
    show(Math.floor((now - began) * told.fps / 1000));
    if (frame >= LAST) pause(); else playing = requestAnimationFrame(tick);
  };
  playing = requestAnimationFrame(tick);
  mark();
}
function pause() {
  cancelAnimationFrame(playing);
  playing = 0;
  mark();
}
const icon = path => `<svg width="16" height="16" viewBox="0 0 16 16"><path d="${path}"/></svg>`;
const ICONS = { play: icon("M4 2l10 6-10 6z"), pause: icon("M3 2h4v12H3zM9 2h4v12H9z"), back: icon("M11 2v12L4 8z"),
                forth: icon("M5 2v12l7-6z"), before: icon("M13 2v12L6 8zM3 2h2v12H3z"), next: icon("M3 2v12l7-6zM11 2h2v12h-2z") };
function mark() {
  document.body.dataset.playing = Boolean(playing);
  $("play").innerHTML = playing ? ICONS.pause : ICONS.play;
  $("play").setAttribute("aria-label", playing ? "pause" : "play");
}

// An event of the episode's end is seen in the last frame.
const stops = told.events.map(([at, kind]) => [Math.min(at, LAST), kind]);
const step = frames => { pause(); show(frame + frames); };
function jump(forth) {
  const found = forth ? stops.find(([at]) => at > frame) : stops.filter(([at]) => at < frame).at(-1);
  pause();
  if (found) show(found[0]);
}
const toggle = kind => {
  if (!hidden.delete(kind)) hidden.add(kind);
  document.querySelector(`#legend input[name="${kind}"]`).checked = !hidden.has(kind);
  views.forEach((_, view) => drawView(view));
};

const BUTTONS = [["before", "event before", () => jump(false)], ["back", "one frame back", () => step(-1)], ["play", "play", play],
                 ["forth", "one frame forth", () => step(1)], ["next", "next event", () => jump(true)]];
for (const [id, words, act] of BUTTONS) {
  const button = $("buttons").appendChild(document.createElement("button"));
  Object.assign(button, { id, innerHTML: ICONS[id], title: words });
  button.setAttribute("aria-label", words);
  button.addEventListener("click", act);
}

const TAKEN = told.lines.find(({ kind }) => kind === "taken").colour;
COLOURS.came = `rgb(${TAKEN.join()})`;
const LEGEND = [...told.lines, { kind: "came", words: "what then came" }];
LEGEND.forEach(({ kind, words }, place) => {
  const label = $("legend").appendChild(document.createElement("label"));
  const box = label.appendChild(document.createElement("input"));
  Object.assign(box, { type: "checkbox", checked: true, name: kind });
  box.addEventListener("change", () => { toggle(kind); box.blur(); });
  const swatch = label.appendChild(document.createElement("i"));
  swatch.style.background = kind === "came"
    ? `repeating-linear-gradient(90deg, ${COLOURS.came} 0 3px, transparent 3px 7px)` : COLOURS[kind];
  label.append(words);
  label.appendChild(document.createElement("kbd")).textContent = place + 1;
});

const ACTS = {
  " ": play, ArrowLeft: event => step(event.shiftKey ? -10 : -1), ArrowRight: event => step(event.shiftKey ? 10 : 1),
  n: () => jump(true), p: () => jump(false), Home: () => step(-LAST), End: () => step(LAST),
};
LEGEND.forEach(({ kind }, place) => { ACTS[place + 1] = () => toggle(kind); });
addEventListener("keydown", event => {
  const act = ACTS[event.key] || ACTS[event.key.toLowerCase()];
  if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
  // Space on a button would press it as well.
  event.preventDefault();
  act(event);
}, { capture: true });
$("scrub").max = LAST;
$("scrub").addEventListener("input", () => { pause(); show(Number($("scrub").value)); });

for (const [at, kind, branch] of [...stops, ...told.branches.map(one => [one.frame, "changed", one.words])]) {
  const rule = $("marks").appendChild(document.createElement("i")), button = $("marks").appendChild(document.createElement("button"));
  button.textContent = kind;
  button.title = `${branch || kind}, frame ${at}`;
  button.className = branch ? "branch" : "";
  rule.style.left = button.style.left = `${100 * at / END}%`;
  button.addEventListener("click", () => { pause(); show(at); });
}
/** Labels that would cover one another are left out; their marks stay. */
function thin() {
  let free = -Infinity;
  const right = $("marks").getBoundingClientRect().right + 8;
  for (const button of [...$("marks").querySelectorAll("button")].sort((a, b) => parseFloat(a.style.left) - parseFloat(b.style.left))) {
    button.classList.remove("low", "end");
    if (button.getBoundingClientRect().right > right) button.classList.add("end");
    const box = button.getBoundingClientRect();
    button.classList.toggle("low", box.left < free);
    if (box.left >= free) free = box.right + 3;
  }
}

const { x, y, yaw_deg: yaw } = told.placement;
$("label").textContent = told.label;
$("about").textContent = `${told.policy} · (${x.toFixed(3)}, ${y.toFixed(3)}), yaw ${yaw.toFixed(0)} deg · seed ${told.seed} · ` +
  `asked ${told.asked.length} times`;
$("outcome").textContent = told.outcome.replaceAll("_", " ");
$("outcome").style.setProperty("--tone", told.tone);
for (const words of told.alarms) {
  const alarm = $("alarms").appendChild(document.createElement("p"));
  alarm.setAttribute("role", "alert");
  alarm.append(bold("Alarm: "), words);
}
for (const words of told.caveats) $("alarms").appendChild(document.createElement("p")).textContent = words;
$("summary").textContent = told.summary;
$("keys").innerHTML = "<kbd>space</kbd> run, pause · <kbd>←</kbd> <kbd>→</kbd> a frame, with <kbd>shift</kbd> ten · " +
  `<kbd>n</kbd> <kbd>p</kbd> events · <kbd>home</kbd> <kbd>end</kbd> · <kbd>1</kbd> to <kbd>${LEGEND.length}</kbd> lines`;
const notes = ["Joints in degrees, the gripper in percent, lag in frames: blue measured, brown dotted commanded, green planned " +
  "(strong until the policy is asked again" + (has("spread") ? "; violet two standard deviations of the samples" : "") + ").",
  every === 1 ? "" : `A picture is there of every ${every}${every === 2 ? "nd" : every === 3 ? "rd" : "th"} frame, so that this file stays small; lines are of every frame.`,
  told.stride === 1 ? "" : `Of plans every ${told.stride}th point is drawn.`,
  told.whiskers ? "" : "Whiskers were turned off, so no plan is drawn in space.",
  told.samples && told.draws === false ? `All ${told.samples} samples equal the answer: this policy draws nothing, so they say nothing of doubt.` : ""];
$("notes").textContent = notes.filter(Boolean).join(" ");

addEventListener("resize", () => { charts.forEach(chart => chart.fit()); thin(); redraw(); });
const asked = () => Number(/^#(\d+)$/.exec(location.hash)?.[1] ?? 0);
addEventListener("hashchange", () => show(asked()));
mark();
show(asked());
thin();
