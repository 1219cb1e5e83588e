"use strict";
// What was thought, and how it is drawn over pictures: numbers, lines in space, a lens.
const GAP = -32768, NEAREST_M = 0.01;
const $ = id => document.getElementById(id);
const told = JSON.parse($("told").textContent);
const arrays = {};
for (const [name, { shape, scale, data }] of Object.entries(told.arrays)) {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  arrays[name] = { shape, scale, steps: new Int16Array(bytes.buffer) };
}
const has = name => name in arrays;
const size = (name, axis) => has(name) ? arrays[name].shape[axis] : 0;

/** One number of an array; NaN where there is none. */
function number(name, ...place) {
  const { shape, scale, steps } = arrays[name];
  const step = steps[place.reduce((at, index, axis) => at * shape[axis] + index, 0)];
  return step === GAP ? NaN : step * scale;
}

/** The points [m] of a line from an index on, until it ends. */
function points(name, place, first = 0) {
  const found = [], rows = size(name, arrays[name].shape.length - 2);
  for (let row = first; row < rows; row += 1) {
    const point = [0, 1, 2].map(axis => number(name, ...place, row, axis));
    if (point.some(Number.isNaN)) break;
    found.push(point);
  }
  return found;
}

const tip = frame => [0, 1, 2].map(axis => number("tip", frame, axis));
const way = (from, until) => Array.from({ length: Math.max(0, until - from + 1) }, (_, place) => tip(from + place));

/** Which question, by its place, was the last one in each frame. */
const question = new Array(told.frames);
for (let frame = 0, last = 0; frame < told.frames; frame += 1) {
  while (last + 1 < told.asked.length && told.asked[last + 1] <= frame) last += 1;
  question[frame] = last;
}
/** How many frames the answer to each question is of; an arm that waits for one has nothing said for it meanwhile. */
const reach = told.asked.map((_, place) => {
  let length = size("gripper", 1);
  while (length && Number.isNaN(number("gripper", place, length - 1))) length -= 1;
  return length;
});

/** The first kept point of a path that lies so many frames or more after its beginning. */
const after = frames => Math.ceil(frames / told.stride);

/** All lines of a frame in the order to draw them: kind, points, strength from 0 to 1, dashed. */
function lines(frame) {
  const place = question[frame], asked = told.asked[place], age = frame - asked, found = [];
  const add = (kind, line, strength = 1, dashed = false) => found.push({ kind, line, strength, dashed });
  add("came", way(frame, size("tip", 0) - 1), 0.8, true);
  add("taken", way(0, frame));
  if (has("path")) {
    if (told.blended[place]) {
      const covering = told.asked.map((_, other) => other)
        .filter(other => told.asked[other] <= frame && frame - told.asked[other] < reach[other]);
      covering.forEach((other, rank) => {
        const strength = 0.25 + 0.45 * (covering.length > 1 ? rank / (covering.length - 1) : 1);
        add("chunk", points("alone", [other, 0], after(frame - told.asked[other])), strength);
      });
    } else {
      const before = Math.max(0, place - told.ghosts);
      for (let other = before; other < place; other += 1)
        add("ghost", points("path", [other, 0]), 0.65 * (1 - (place - 1 - other) / told.ghosts));
    }
    for (let one = 0; one < size("sample", 1); one += 1) add("sample", points("sample", [place, one]), 0.65);
    const steps = size("denoising", 1);
    for (let one = 0; one < steps; one += 1)
      add("denoising", points("denoising", [place, one]), 0.25 + 0.5 * one / steps);
    const first = after(age + 1), ahead = [tip(frame), ...points("path", [place, 0], first)];
    const sure = ahead.filter((_, row) => row === 0 || (first + row - 1) * told.stride <= told.sure[place]);
    add("plan", ahead.slice(sure.length - 1), told.blended[place] ? 1 : 0.75);
    add("plan", sure);
  }
  return found.filter(one => one.line.length > 1);
}

/** Where a point [m] is in a picture of such a size; null where it is not before the camera. */
function project(eye, point, width, height) {
  const [px, py, pz, fx, fy, fz, ux, uy, uz, half] = eye;
  const away = [point[0] - px, point[1] - py, point[2] - pz];
  const dot = (x, y, z) => away[0] * x + away[1] * y + away[2] * z;
  const depth = dot(fx, fy, fz);
  if (depth < NEAREST_M) return null;
  const scale = height / 2 / half / depth;
  return [width / 2 + scale * dot(fy * uz - fz * uy, fz * ux - fx * uz, fx * uy - fy * ux),
          height / 2 - scale * dot(ux, uy, uz)];
}

const WIDTHS = { plan: 3, taken: 3, ghost: 2, came: 2 };
const COLOURS = Object.fromEntries(told.lines.map(({ kind, colour }) => [kind, `rgb(${colour.join()})`]));

/** Lines over a picture, and a dot where the tool point is now. */
function drawLines(context, eye, frame, hidden, width, height) {
  const unit = width / 480;
  context.lineCap = context.lineJoin = "round";
  const stroke = (line, colour, strength, wide, dashed) => {
    context.globalAlpha = strength;
    context.strokeStyle = colour;
    context.lineWidth = wide * unit * 0.75;
    context.setLineDash(dashed ? [2 * unit, 5 * unit] : []);
    context.beginPath();
    let down = false;
    for (const point of line) {
      const pixel = project(eye, point, width, height);
      if (pixel && down) context.lineTo(...pixel); else if (pixel) context.moveTo(...pixel);
      down = pixel !== null;
    }
    context.stroke();
  };
  for (const { kind, line, strength, dashed } of lines(frame)) {
    if (hidden.has(kind)) continue;
    const wide = WIDTHS[kind] || 1.3;
    if (wide > 2) stroke(line, "#0c0e12", 0.35 * strength, wide + 2, false);
    stroke(line, COLOURS[kind], strength, wide, dashed);
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  const now = project(eye, tip(frame), width, height);
  for (const [radius, colour] of now ? [[4.5, "#0c0e12"], [3.6, "#fff"], [1.8, COLOURS.plan || "#0c0e12"]] : []) {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(...now, radius * unit, 0, 7);
    context.fill();
  }
}
