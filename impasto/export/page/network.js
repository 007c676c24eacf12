"use strict";
// The network of the live tier, as gpu.js and cpu.js paint with it. look.js holds its weights: for each convolution, in order,
// [leave/4][kernel][kernel][enter][4] and then its biases, in halves.

const four = count => 4 * Math.ceil(count / 4);  // channels go in fours; those that are missing are zero

function opened(look) {
  const { width, blocks, head, inner, inks } = look.settings, halves = halvesOf(look.weights);
  let at = 0;
  const taken = count => Float32Array.from(halves.subarray(at, at += count), halfAsFloat);
  const convolution = (kernel, stride, enter, leave) => {
    const weights = taken(leave * kernel * kernel * enter);
    return { kernel, stride, enter: four(enter), leave, weights: enter % 4 ? filled(weights, enter) : weights, bias: taken(leave) };
  };
  const wide = four(width), narrow = four(head);
  return {
    inner, inks, stride: 4 * inner,
    stem: convolution(8, 4, 3, wide),
    trunk: Array.from({ length: blocks }, () => [convolution(3, 1, wide, wide), convolution(3, 1, wide, wide)]),
    half: convolution(3, 1, wide, 4 * narrow),
    whole: convolution(3, 1, narrow, 16),
  };
}

function halvesOf(base64) {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  return new Uint16Array(bytes.buffer);
}

function halfAsFloat(half) {
  const exponent = half >> 10 & 31, share = (half & 1023) / 1024;
  const size = exponent ? 2 ** (exponent - 15) * (1 + share) : 2 ** -14 * share;
  return half & 0x8000 ? -size : size;
}

function filled(weights, enter) {  // [..][enter][4] with channels of zeros behind: the picture has three planes, and fours are read
  const rows = weights.length / (4 * enter), full = new Float32Array(rows * four(enter) * 4);
  for (let row = 0; row < rows; row++) full.set(weights.subarray(row * 4 * enter, (row + 1) * 4 * enter), row * 4 * four(enter));
  return full;
}

// A picture whose sides are multiples of the stride: it goes on mirrored to the right and below.
function fitted(picture, stride) {
  const { width, height } = picture, across = Math.ceil(width / stride) * stride, down = Math.ceil(height / stride) * stride;
  if (across === width && down === height) return picture;
  const from = new Uint32Array(picture.data.buffer), to = new Uint32Array(across * down);
  const mirrored = (at, count) => at < count ? at : 2 * count - 2 - at;
  for (let y = 0; y < down; y++) {
    const row = mirrored(y, height) * width;
    for (let x = 0; x < across; x++) to[y * across + x] = from[row + mirrored(x, width)];
  }
  return new ImageData(new Uint8ClampedArray(to.buffer), across, down);
}

// What was painted of a fitted picture, in the picture's own size.
function unfitted(bytes, across, { width, height }) {
  const down = bytes.length / 4 / across, whole = new ImageData(bytes, across, down);
  if (across === width && down === height) return whole;
  const from = new Uint32Array(bytes.buffer), to = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) to.set(from.subarray(y * across, y * across + width), y * width);
  return new ImageData(new Uint8ClampedArray(to.buffer), width, height);
}
