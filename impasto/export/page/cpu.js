"use strict";
// Paints with WebAssembly, in fp32, where there is no WebGPU: frames side by side in workers. Features lie as [y][x][channel] with
// a border that repeats the edge, so that a row of a kernel's window is one run of numbers. The one loop that takes time is a
// convolution; its machine code is assembled below, four channels at a time in registers.

function cpuPainter(network) {
  const source = [assembled, cpuStudio, edged, doubled, lastMixed, between].map(String).join("\n");
  const url = URL.createObjectURL(new Blob([`${source}
    let network, studio;
    onmessage = ({ data }) => {
      if (!network) { network = data; return; }
      if (studio?.width !== data.width || studio?.height !== data.height) studio = cpuStudio(network, data.width, data.height);
      const bytes = studio.paint(data.bytes);
      postMessage(bytes, [bytes.buffer]);
    };`], { type: "text/javascript" }));
  const count = Math.max(1, Math.min(8, (navigator.hardwareConcurrency ?? 2) - 1)), free = [], waiting = [];
  for (let i = 0; i < count; i++) {
    const worker = new Worker(url);
    worker.postMessage(network);
    free.push(worker);
  }
  const ask = (worker, picture) => new Promise((done, failed) => {
    worker.onmessage = ({ data }) => done(data);
    worker.onerror = failed;
    worker.postMessage({ bytes: picture.data, width: picture.width, height: picture.height });
  });
  return {
    name: "WebAssembly", atOnce: count, longest: 1920,
    async paint(picture) {
      const entering = fitted(picture, network.stride), worker = free.pop() ?? await new Promise(next => waiting.push(next));
      try {
        return unfitted(await ask(worker, entering), entering.width, picture);
      } finally {
        waiting.length ? waiting.shift()(worker) : free.push(worker);
      }
    },
  };
}

// Memory and layers for pictures of one size.
function cpuStudio(network, width, height) {
  const { inner } = network, small = [width / inner, height / inner], half = small.map(side => side / 2), quarter = small.map(side => side / 4);
  let end = 0;
  const place = bytes => (end += bytes + 15 & ~15) - (bytes + 15 & ~15);
  const room = ([across, down], channels, border = 1) => ({
    across, down, channels, border, row: (across + 2 * border) * channels,
    at: place((across + 2 * border) * (down + 2 * border) * channels * 4),
  });
  const layers = [network.stem, ...network.trunk.flat(), network.half, network.whole];
  const held = layers.map(layer => ({ ...layer, w: place(layer.weights.byteLength), b: place(layer.bias.byteLength) }));
  const wide = network.stem.leave, seen = room(small, 4, 2), ends = room(half, 16, 0), wider = room(half, network.whole.enter), head = room(small, 4, 0);
  const rooms = [room(quarter, wide), room(quarter, wide), room(quarter, wide)], shuffled = room(quarter, network.half.leave, 0);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / 65536) }), features = new Float32Array(memory.buffer);
  for (const layer of held) {
    features.set(layer.weights, layer.w / 4);
    features.set(layer.bias, layer.b / 4);
  }

  function convolve(layer, from, to, after, more = to) {
    const { block, pixels, run } = layer.code ??= assembled(layer, memory, after);
    const toStart = to.at + 4 * to.border * (to.row + to.channels), moreStart = more.at + toStart - to.at;
    const groups = Math.floor(to.across / pixels), rest = to.across - pixels;  // the last group overlaps the one before it
    for (let y = 0; y < to.down; y++) {
      const source = from.at + 4 * y * layer.stride * from.row;
      for (let c = 0; c < layer.leave; c += block) {
        const target = 4 * (y * to.row + c), weights = layer.w + layer.weights.byteLength * c / layer.leave, bias = layer.b + 4 * c;
        run(source, from.row * 4, toStart + target, moreStart + target, weights, bias, groups);
        if (groups * pixels < to.across) {
          const skip = 4 * rest * to.channels;
          run(source + 4 * rest * layer.stride * from.channels, from.row * 4, toStart + target + skip, moreStart + target + skip, weights, bias, 1);
        }
      }
    }
    if (to.border) edged(features, to);
  }

  function look(bytes) {
    let to = seen.at / 4;
    for (let y = 0; y < seen.down; y++) {
      to = seen.at / 4 + (y + 2) * seen.row + 8;
      for (let x = 0; x < seen.across; x++, to += 4) {
        for (let c = 0; c < 3; c++) {
          let sum = 0;
          for (let i = 0; i < inner * inner; i++) sum += bytes[((y * inner + (i / inner | 0)) * width + x * inner + i % inner) * 4 + c];
          features[to + c] = sum / (255 * inner * inner) - 0.5;
        }
      }
    }
    edged(features, seen);
  }

  return {
    width, height,
    paint(bytes) {
      let [thought, between, next] = rooms, number = 1;
      look(bytes);
      convolve(held[0], seen, thought, "relu");
      for (let i = 0; i < network.trunk.length; i++) {
        convolve(held[number++], thought, between, "relu");
        convolve(held[number++], between, next, "add", thought);
        [thought, next] = [next, thought];
      }
      convolve(held[number++], thought, shuffled, "");
      doubled(features, shuffled, wider, true);
      edged(features, wider);
      convolve(held[number], wider, ends, "");
      doubled(features, ends, head, false);
      return lastMixed(network, features, head, bytes, width, height);
    },
  };
}

// The border of a room: its outermost pixels repeated.
function edged(features, { at, across, down, channels, border, row }) {
  const start = at / 4;
  for (let y = border; y < down + border; y++) {
    const first = start + y * row + border * channels, last = first + (across - 1) * channels;
    for (let i = 1; i <= border; i++) {
      features.copyWithin(first - i * channels, first, first + channels);
      features.copyWithin(last + i * channels, last, last + channels);
    }
  }
  for (let i = 0; i < border; i++) {
    features.copyWithin(start + i * row, start + border * row, start + (border + 1) * row);
    features.copyWithin(start + (border + down + i) * row, start + (border + down - 1) * row, start + (border + down) * row);
  }
}

// Twice the size: each four becomes 2x2 pixels of one channel, and then the mean over 2x2, mirrored at the left and upper edge.
function doubled(features, from, to, relu) {
  const source = from.at / 4, one = (x, y, c) => features[source + (y >> 1) * from.row + (x >> 1) * from.channels + 4 * c + 2 * (y & 1) + (x & 1)];
  for (let y = 0; y < to.down; y++) {
    const above = y ? y - 1 : 1;
    for (let x = 0, at = to.at / 4 + (y + to.border) * to.row + to.border * to.channels; x < to.across; x++, at += to.channels) {
      const left = x ? x - 1 : 1;
      for (let c = 0; c < to.channels; c++) {
        const mean = (one(x, y, c) + one(left, y, c) + one(x, above, c) + one(left, above, c)) / 4;
        features[at + c] = relu && mean < 0 ? 0 : mean;
      }
    }
  }
}

// The paint and the picture's own pixels, as much of each as the gate says.
function lastMixed({ inner, inks }, features, head, bytes, width, height) {
  const out = new Uint8ClampedArray(bytes.length), start = head.at / 4, mixed = [0, 0, 0];  // it rounds as it is filled
  const along = inks?.[1].map((ink, c) => ink - inks[0][c]), length = along?.reduce((sum, part) => sum + part * part, 0);
  const paint = inner === 1 ? (x, y, c) => features[start + (y * width + x) * 4 + c] : (x, y, c) => between(features, head, inner, x, y, c);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const gate = 1 / (255 * (1 + Math.exp(-paint(x, y, 3))));
      for (let c = 0; c < 3; c++) mixed[c] = bytes[at + c] * gate + paint(x, y, c);
      if (inks) {
        const share = along.reduce((sum, part, c) => sum + part * (mixed[c] - inks[0][c]), 0) / length;
        for (let c = 0; c < 3; c++) mixed[c] = inks[0][c] + along[c] * Math.min(Math.max(share, 0), 1);
      }
      for (let c = 0; c < 3; c++) out[at + c] = 255 * mixed[c];
      out[at + 3] = 255;
    }
  }
  return out;
}

// One channel of a smaller head at a pixel of the picture, between the four that are nearest.
function between(features, { at, across, down, row }, inner, x, y, c) {
  const u = Math.max((x + 0.5) / inner - 0.5, 0), v = Math.max((y + 0.5) / inner - 0.5, 0), left = Math.floor(u), above = Math.floor(v);
  const right = Math.min(left + 1, across - 1), below = Math.min(above + 1, down - 1), one = (i, j) => features[at / 4 + j * row + 4 * i + c];
  const upper = one(left, above) + (one(right, above) - one(left, above)) * (u - left);
  const lower = one(left, below) + (one(right, below) - one(left, below)) * (u - left);
  return upper + (lower - upper) * (v - above);
}

// A convolution of one row as machine code: run(from, rowOfFrom, to, more, weights, bias, groups), all in bytes but the last.
// Each group is `pixels` pixels by `block` channels, whose sums stay in registers while the window passes by.
function assembled({ kernel, stride, enter, leave }, memory, after) {
  const fours = [4, 3, 2, 1].find(count => leave / 4 % count === 0), pixels = [8, 6, 4, 3][fours - 1];
  const [FROM, ROW, TO, MORE, WEIGHTS, BIAS, GROUPS, LINE, AT, WEIGHT, ROWS, RUN, SEEN, KERNELS] = Array(14).keys(), SUMS = KERNELS + fours;
  const number = value => {  // LEB128, of numbers that are not negative; a constant's sign bit must be clear
    const bytes = [];
    do { bytes.push(value % 128 | 128); value = Math.floor(value / 128); } while (value);
    bytes[bytes.length - 1] &= 127;
    return bytes;
  };
  const constant = value => [0x41, ...number(value).map((byte, i, all) => i === all.length - 1 && byte & 64 ? [byte | 128, 0] : byte).flat()];
  const vector = (...code) => [0xfd, ...code], get = local => [0x20, ...number(local)], set = local => [0x21, ...number(local)];
  const load = (kind, from, offset) => [...get(from), ...vector(kind, 2, ...number(offset))], SPLAT = 9, FOUR = 0;
  const move = (local, step) => [...get(local), ...step, 0x6a, ...set(local)];
  const loop = (counter, count, body) =>
    [...count, ...set(counter), 0x03, 0x40, ...body, ...get(counter), 0x41, 1, 0x6b, 0x22, ...number(counter), 0x0d, 0, 0x0b];
  const each = (count, made) => Array.from({ length: count }, (_, i) => made(i)).flat();
  const sum = (p, q) => SUMS + p * fours + q, ADD = vector(0xe4, 1), MULTIPLY = vector(0xe6, 1), GREATER = vector(0xe9, 1);
  const ZEROS = vector(12, ...Array(16).fill(0));

  const products = fused => each(4, j => [
    ...each(fours, q => [...load(FOUR, WEIGHT, q * kernel * kernel * enter * 16 + j * 16), ...set(KERNELS + q)]),
    ...each(pixels, p => [
      ...load(SPLAT, AT, p * stride * enter * 4 + j * 4), ...set(SEEN),
      ...each(fours, q => fused
        ? [...get(SEEN), ...get(KERNELS + q), ...get(sum(p, q)), ...vector(0x85, 2), ...set(sum(p, q))]
        : [...get(SEEN), ...get(KERNELS + q), ...MULTIPLY, ...get(sum(p, q)), ...ADD, ...set(sum(p, q))]),
    ]),
  ]);
  const left = (p, q) => {
    const offset = (p * leave + q * 4) * 4, value = get(sum(p, q));
    if (after === "add") value.push(...load(FOUR, MORE, offset), ...ADD);
    if (after === "relu") value.push(...ZEROS, ...GREATER);
    return [...get(TO), ...value, ...vector(11, 2, ...number(offset))];
  };
  const body = fused => [
    2, 5, 0x7f, ...number(1 + fours + pixels * fours), 0x7b,
    0x03, 0x40,
    ...each(fours, q => [...load(FOUR, BIAS, q * 16), ...each(pixels, p => [...(p ? get(sum(0, q)) : []), ...set(sum(p, q))])]),
    ...get(WEIGHTS), ...set(WEIGHT), ...get(FROM), ...set(LINE),
    ...loop(ROWS, constant(kernel), [
      ...get(LINE), ...set(AT),
      ...loop(RUN, constant(kernel * enter / 4), [...products(fused), ...move(AT, constant(16)), ...move(WEIGHT, constant(64))]),
      ...move(LINE, get(ROW)),
    ]),
    ...each(pixels, p => each(fours, q => left(p, q))),
    ...move(FROM, constant(pixels * stride * enter * 4)), ...move(TO, constant(pixels * leave * 4)), ...move(MORE, constant(pixels * leave * 4)),
    ...get(GROUPS), 0x41, 1, 0x6b, 0x22, ...number(GROUPS), 0x0d, 0, 0x0b, 0x0b,
  ];
  const section = (id, bytes) => [id, ...number(bytes.length), ...bytes], word = text => [text.length, ...[...text].map(l => l.charCodeAt(0))];
  const program = fused => Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 7, ...Array(7).fill(0x7f), 0]), ...section(2, [1, ...word("m"), ...word("m"), 2, 0, 0]),
    ...section(3, [1, 0]), ...section(7, [1, ...word("run"), 0, 0]), ...section(10, [1, ...number(body(fused).length), ...body(fused)]),
  ]);
  const code = [program(true), program(false)].find(bytes => WebAssembly.validate(bytes));
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(code), { m: { m: memory } }).exports;
  return { block: 4 * fours, pixels, run };
}
