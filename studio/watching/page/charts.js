// Graphs over the episode: joints, votes for the gripper, doubt. What stands still is drawn once and kept.
const INK = "#1c2026", MUTED = "#70767e", FAINT = "#deddd7", ACCENT = "#336bb3", BROWN = "#a8692a", GREEN = "#1e9d57", VIOLET = "#9a4fd0";
const END = Math.max(1, told.frames - 1);

/** A canvas over the episode: `still` draws what does not move, `now` what depends on the frame. */
class Chart {
  constructor(canvas, still, now) {
    Object.assign(this, { canvas, still, now, kept: null });
    const seek = event => {
      const box = canvas.getBoundingClientRect();
      show(Math.round((event.clientX - box.left) / box.width * END));
    };
    canvas.addEventListener("pointerdown", event => { pause(); canvas.setPointerCapture(event.pointerId); seek(event); });
    canvas.addEventListener("pointermove", event => { if (event.buttons) seek(event); });
  }
  x(frame) { return 2 + (this.width - 4) * frame / END; }
  fit() {
    const ratio = devicePixelRatio || 1, box = this.canvas.getBoundingClientRect();
    [this.width, this.height] = [box.width, box.height];
    this.kept = document.createElement("canvas");
    for (const each of [this.canvas, this.kept])
      [each.width, each.height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    const context = this.kept.getContext("2d");
    context.scale(ratio, ratio);
    for (const [frame] of told.events) line(context, [[this.x(frame), 0], [this.x(frame), this.height]], FAINT, 1);
    this.still(context, this);
  }
  draw(frame) {
    if (!this.kept) this.fit();
    const context = this.canvas.getContext("2d"), ratio = devicePixelRatio || 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.kept, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.now(context, this, frame);
    line(context, [[this.x(frame), 0], [this.x(frame), this.height]], INK, 1);
  }
}

/** A line; it is broken where a number is missing. */
function line(context, dots, colour, width, dash = [], alpha = 1) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.globalAlpha = alpha;
  context.setLineDash(dash);
  context.beginPath();
  let down = false;
  for (const [x, y] of dots) {
    const there = Number.isFinite(y);
    if (there && down) context.lineTo(x, y); else if (there) context.moveTo(x, y);
    down = there;
  }
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** What a height means, at the right edge. */
function heightMark(context, chart, words, top) {
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  context.textBaseline = "top";
  context.fillStyle = "#ffffffd0";
  const wide = context.measureText(words).width;
  context.fillRect(chart.width - wide - 6, top - 1, wide + 4, 14);
  context.fillStyle = MUTED;
  context.fillText(words, chart.width - 4, top + 1);
}

const series = (name, joint, length) => Array.from({ length }, (_, frame) => number(name, frame, joint));
const ofFrames = (chart, values, y) => values.map((value, frame) => [chart.x(frame), y(value)]);
/** The same, held until the next frame, as targets are. */
const held = (chart, values, y) => values.flatMap((value, frame) => [[chart.x(frame), y(value)], [chart.x(frame + 1), y(value)]]);

function jointChart(canvas, joint) {
  const state = series("state", joint, size("state", 0)), action = series("action", joint, told.frames);
  const foretold = series("foretold", joint, told.frames);
  const known = [...state, ...action].filter(Number.isFinite);
  const low = Math.min(...known), high = Math.max(...known), room = Math.max(2, (high - low) * 0.14);
  const y = chart => value => chart.height - (value - low + room) / (high - low + 2 * room) * chart.height;
  return new Chart(canvas, (context, chart) => {
    line(context, ofFrames(chart, foretold, y(chart)), GREEN, 3, [], 0.35);
    line(context, ofFrames(chart, state, y(chart)), ACCENT, 1.3);
    line(context, held(chart, action, y(chart)), BROWN, 1.3, [1.5, 2.5]);
    heightMark(context, chart, high.toFixed(0), 2);
    heightMark(context, chart, low.toFixed(0), chart.height - 15);
  }, (context, chart, frame) => {
    const place = question[frame], asked = told.asked[place], dots = [], band = [];
    for (let row = 0; row < size("plan", 1); row += 1) {
      const at = asked + row * told.stride, value = number("plan", place, row, joint);
      if (Number.isNaN(value)) break;
      const spread = has("spread") && row < size("spread", 1) ? number("spread", place, row, joint) : NaN;
      if (at >= frame) dots.push([chart.x(at), y(chart)(value), at]);
      if (at >= frame && Number.isFinite(spread)) band.push([chart.x(at), y(chart)(value - 2 * spread), y(chart)(value + 2 * spread)]);
    }
    if (band.length > 1) {
      context.fillStyle = VIOLET;
      context.globalAlpha = 0.2;
      context.beginPath();
      band.forEach(([x, bottom]) => context.lineTo(x, bottom));
      band.reverse().forEach(([x, , top]) => context.lineTo(x, top));
      context.fill();
      context.globalAlpha = 1;
    }
    line(context, dots, GREEN, 1.6, [4, 3]);
    line(context, dots.filter(([, , at]) => at <= asked + told.sure[place]), GREEN, 2.6);
  });
}

/** What one chunk says for the gripper. */
const said = place => Array.from({ length: reach[place] }, (_, ahead) => number("gripper", place, ahead));
/** What the chunks that cover a frame say for the gripper in it, oldest first. */
const votes = frame => told.asked.map((asked, place) => [frame - asked, place])
  .filter(([ahead, place]) => ahead >= 0 && ahead < reach[place]).map(([ahead, place]) => number("gripper", place, ahead))
  .filter(Number.isFinite);

const everyVote = told.asked.flatMap((_, place) => said(place)).filter(Number.isFinite);
const CLOSED = everyVote.reduce((a, b) => Math.min(a, b)), OPEN = everyVote.reduce((a, b) => Math.max(a, b));
/** As far closed as any chunk says is blue, as far open amber. */
function gripperColour(value) {
  const share = (value - CLOSED) / Math.max(told.grip.least, OPEN - CLOSED), mix = (closed, open) => Math.round(closed + share * (open - closed));
  return told.grip.closed.map((closed, place) => mix(closed, told.grip.open[place]));
}

function votesChart(canvas) {
  const each = Array.from({ length: told.frames }, (_, frame) => votes(frame));
  const most = Math.max(1, ...each.map(some => some.length)), strip = document.createElement("canvas");
  [strip.width, strip.height] = [told.frames, most];
  const context = strip.getContext("2d"), image = context.createImageData(told.frames, most);
  // Rows are the chunks that cover a frame; the newest word on it is in the lowest.
  each.forEach((some, frame) => some.forEach((value, rank) => {
    image.data.set([...gripperColour(value), 255], 4 * ((most - some.length + rank) * told.frames + frame));
  }));
  context.putImageData(image, 0, 0);
  return new Chart(canvas, (drawn, chart) => {
    drawn.imageSmoothingEnabled = false;
    drawn.drawImage(strip, 2, 0, chart.width - 4, chart.height);
  }, () => {});
}

const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;
/** Standard deviations of the arm's joints [deg], mean over joints: of overlapping chunks, and of samples of a question. */
const apart = Array.from({ length: told.frames }, (_, frame) => mean([0, 1, 2, 3, 4].map(joint => number("apart", frame, joint))));
const unsure = told.asked.map((_, place) => {
  if (!has("spread")) return NaN;
  const found = [];
  for (let row = 0; row < size("spread", 1); row += 1)
    for (let joint = 0; joint < 5; joint += 1) found.push(number("spread", place, row, joint));
  return mean(found.filter(Number.isFinite));
});

function doubtChart(canvas) {
  const most = Math.max(1, ...[...apart, ...unsure].filter(Number.isFinite));
  const y = chart => value => chart.height - 3 - value / most * (chart.height - 10);
  return new Chart(canvas, (context, chart) => {
    line(context, ofFrames(chart, apart, y(chart)), MUTED, 1.5);
    line(context, told.asked.flatMap((asked, place) => [[chart.x(asked), y(chart)(unsure[place])],
      [chart.x(told.asked[place + 1] ?? END), y(chart)(unsure[place])]]), VIOLET, 1.5);
    heightMark(context, chart, `${most.toFixed(1)} deg`, 2);
  }, () => {});
}
