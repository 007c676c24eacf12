"use strict";
// Paints with WebGPU, in fp32. Features lie as [channel/4][y][x] of vec4f, so that threads beside each other read beside each other.

const ACROSS = 16, DOWN = 4, EACH = 4;  // a group of threads is 16x4, and each paints 4 pixels that lie 16 apart

async function gpuPainter(network) {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return null;
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  const kernels = { first: kernelOf(device, firstCode(network)), last: kernelOf(device, lastCode(network)) };
  const layers = [network.stem, ...network.trunk.flat(), network.half, network.whole];
  for (const layer of layers) layer.held = [bufferOf(device, layer.weights), bufferOf(device, layer.bias)];
  let studio = null;
  return {
    name: adapter.info?.architecture === "swiftshader" ? "WebGPU (SwiftShader)" : "WebGPU", atOnce: 1, longest: 3840,
    async paint(picture) {
      const entering = fitted(picture, network.stride);
      if (studio?.width !== entering.width || studio?.height !== entering.height) {
        studio?.free();
        studio = null;
        studio = await sound(device, () => studioOf(device, kernels, network, entering.width, entering.height));
      }
      return unfitted(await studio.paint(entering.data), entering.width, picture);
    },
  };
}

// WebGPU tells its faults only to those who ask, and paints black.
async function sound(device, made) {
  const kinds = ["validation", "out-of-memory", "internal"];
  for (const kind of kinds) device.pushErrorScope(kind);
  const result = made(), faults = await Promise.all(kinds.map(() => device.popErrorScope())), fault = faults.find(Boolean);
  if (fault) throw new Error(fault.message);
  return result;
}

// All buffers and passes for pictures of one size.
function studioOf(device, kernels, network, width, height) {
  const small = [width / network.inner, height / network.inner], half = small.map(side => side / 2), quarter = small.map(side => side / 4);
  const wide = network.stem.leave / 4, made = [], passes = [];
  const room = ([across, down], fours) => {
    const buffer = device.createBuffer({ size: across * down * fours * 16, usage: GPUBufferUsage.STORAGE });
    made.push(buffer);
    return buffer;
  };
  const whole = usage => made[made.push(device.createBuffer({ size: width * height * 4, usage })) - 1];
  const picture = whole(GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST), painted = whole(GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
  const answer = whole(GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  const pass = (kernel, buffers, groups) => {
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    passes.push({ kernel, bound: device.createBindGroup({ layout: kernel.getBindGroupLayout(0), entries }), groups });
  };
  const spread = ([across, down], each, layers) => [Math.ceil(across / (ACROSS * each)), Math.ceil(down / DOWN), layers];
  const convolve = (layer, from, fromSize, to, toSize, after, more = []) => {
    const kernel = kernelOf(device, convolutionCode(layer, fromSize, toSize, after));
    pass(kernel, [from, ...layer.held, to, ...more], spread(toSize, EACH, layer.leave / 4 / together(layer)));
  };
  const double = (from, fromSize, to, fours, relu) =>
    pass(kernelOf(device, doubleCode(fromSize, relu)), [from, to], spread(fromSize.map(side => 2 * side), 1, fours));

  const seen = room(small, 1), inner = room(quarter, wide), shuffled = room(quarter, network.half.leave / 4);
  let [thought, next] = [room(quarter, wide), room(quarter, wide)];
  const wider = room(half, network.whole.enter / 4), ends = room(half, 4), head = room(small, 1);
  const sides = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  made.push(sides);
  device.queue.writeBuffer(sides, 0, new Uint32Array([width, height, ...small]));
  pass(kernels.first, [picture, seen, sides], spread(small, 1, 1));
  convolve(network.stem, seen, small, thought, quarter, "relu");
  for (const [enter, leave] of network.trunk) {
    convolve(enter, thought, quarter, inner, quarter, "relu");
    convolve(leave, inner, quarter, next, quarter, "add", [thought]);
    [thought, next] = [next, thought];
  }
  convolve(network.half, thought, quarter, shuffled, quarter, "");
  double(shuffled, quarter, wider, network.whole.enter / 4, true);
  convolve(network.whole, wider, half, ends, half, "");
  double(ends, half, head, 1, false);
  pass(kernels.last, [picture, head, painted, sides], spread([width, height], 1, 1));

  return {
    width, height,
    free: () => made.forEach(buffer => buffer.destroy()),
    async paint(bytes) {
      device.queue.writeBuffer(picture, 0, bytes);
      const encoder = device.createCommandEncoder(), work = encoder.beginComputePass();
      for (const { kernel, bound, groups } of passes) {
        work.setPipeline(kernel);
        work.setBindGroup(0, bound);
        work.dispatchWorkgroups(...groups);
      }
      work.end();
      encoder.copyBufferToBuffer(painted, 0, answer, 0, answer.size);
      device.queue.submit([encoder.finish()]);
      await answer.mapAsync(GPUMapMode.READ);
      const out = new Uint8ClampedArray(answer.getMappedRange().slice(0));
      answer.unmap();
      return out;
    },
  };
}

function bufferOf(device, values) {
  const buffer = device.createBuffer({ size: values.byteLength, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

function kernelOf(device, code) {
  const known = device.known ??= new Map();  // sixteen layers of the trunk are two programs
  if (!known.has(code)) known.set(code, device.createComputePipeline({ layout: "auto", compute: { module: device.createShaderModule({ code }) } }));
  return known.get(code);
}

const together = layer => layer.leave % 8 ? 1 : 2;  // how many fours of channels a thread makes: what it read serves them all
const START = `@compute @workgroup_size(${ACROSS}, ${DOWN})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u, @builtin(global_invocation_id) at: vec3u)`;

function convolutionCode({ kernel, stride, enter }, [across, down], [outAcross, outDown], after) {
  const layer = arguments[0], fours = together(layer), numbers = Array.from({ length: fours }, (_, i) => i);
  const before = (kernel - stride + 1) >> 1, each = kernel * kernel * enter / 4;
  return `
    @group(0) @binding(0) var<storage, read> enter: array<vec4f>;
    @group(0) @binding(1) var<storage, read> weights: array<mat4x4f>;
    @group(0) @binding(2) var<storage, read> bias: array<vec4f>;
    @group(0) @binding(3) var<storage, read_write> leave: array<vec4f>;
    ${after === "add" ? "@group(0) @binding(4) var<storage, read> more: array<vec4f>;" : ""}
    ${START} {
      let first = i32(group.x) * ${ACROSS * EACH} + i32(local.x);
      let y = i32(at.y);
      if (y >= ${outDown} || first >= ${outAcross}) { return; }
      let channel = i32(at.z) * ${fours};
      ${numbers.map(i => `var sum${i}: array<vec4f, ${EACH}>;
      for (var p = 0; p < ${EACH}; p++) { sum${i}[p] = bias[channel + ${i}]; }`).join("\n")}
      for (var ky = 0; ky < ${kernel}; ky++) {
        let row = clamp(y * ${stride} + ky - ${before}, 0, ${down - 1}) * ${across};
        for (var kx = 0; kx < ${kernel}; kx++) {
          var places: array<i32, ${EACH}>;
          for (var p = 0; p < ${EACH}; p++) {
            places[p] = row + clamp((first + p * ${ACROSS}) * ${stride} + kx - ${before}, 0, ${across - 1});
          }
          let weight = channel * ${each} + (ky * ${kernel} + kx) * ${enter / 4};
          for (var c = 0; c < ${enter / 4}; c++) {
            ${numbers.map(i => `let w${i} = weights[weight + ${i * each} + c];`).join(" ")}
            for (var p = 0; p < ${EACH}; p++) {
              let seen = enter[c * ${across * down} + places[p]];
              ${numbers.map(i => `sum${i}[p] += w${i} * seen;`).join(" ")}
            }
          }
        }
      }
      for (var p = 0; p < ${EACH}; p++) {
        let x = first + p * ${ACROSS};
        if (x >= ${outAcross}) { break; }
        ${numbers.map(i => `{
          let to = ((channel + ${i}) * ${outDown} + y) * ${outAcross} + x;
          leave[to] = ${{ relu: `max(sum${i}[p], vec4f())`, add: `sum${i}[p] + more[to]`, "": `sum${i}[p]` }[after]};
        }`).join("\n")}
      }
    }`;
}

// Twice the size: each four becomes 2x2 pixels of one channel, and then the mean over 2x2, mirrored at the left and upper edge.
function doubleCode([across, down], relu) {
  return `
    @group(0) @binding(0) var<storage, read> enter: array<vec4f>;
    @group(0) @binding(1) var<storage, read_write> leave: array<vec4f>;
    fn one(channel: u32, x: u32, y: u32) -> f32 {
      return enter[(channel * ${down} + y / 2) * ${across} + x / 2][y % 2 * 2 + x % 2];
    }
    ${START} {
      if (at.x >= ${2 * across} || at.y >= ${2 * down}) { return; }
      let left = select(at.x - 1, 1, at.x == 0);
      let above = select(at.y - 1, 1, at.y == 0);
      var mean: vec4f;
      for (var i = 0u; i < 4; i++) {
        let channel = at.z * 4 + i;
        mean[i] = (one(channel, at.x, at.y) + one(channel, left, at.y) + one(channel, at.x, above) + one(channel, left, above)) / 4;
      }
      leave[(at.z * ${2 * down} + at.y) * ${2 * across} + at.x] = ${relu ? "max(mean, vec4f())" : "mean"};
    }`;
}

const SIDES = "struct Sides { width: u32, height: u32, across: u32, down: u32 }";  // of the picture, and of what is thought about

function firstCode({ inner }) {
  return `${SIDES}
    @group(0) @binding(0) var<storage, read> picture: array<u32>;
    @group(0) @binding(1) var<storage, read_write> seen: array<vec4f>;
    @group(0) @binding(2) var<uniform> sides: Sides;
    ${START} {
      if (at.x >= sides.across || at.y >= sides.down) { return; }
      var sum: vec3f;
      for (var y = 0u; y < ${inner}; y++) {
        for (var x = 0u; x < ${inner}; x++) {
          sum += unpack4x8unorm(picture[(at.y * ${inner} + y) * sides.width + at.x * ${inner} + x]).rgb;
        }
      }
      seen[at.y * sides.across + at.x] = vec4f(sum / ${inner * inner} - 0.5, 0);
    }`;
}

function lastCode({ inner, inks }) {
  const vector = values => `vec3f(${values.join(", ")})`;
  const inked = inks ? `
      let along = ${vector(inks[1])} - ${vector(inks[0])};
      mixed = ${vector(inks[0])} + along * clamp(dot(mixed - ${vector(inks[0])}, along) / dot(along, along), 0, 1);` : "";
  return `${SIDES}
    @group(0) @binding(0) var<storage, read> picture: array<u32>;
    @group(0) @binding(1) var<storage, read> head: array<vec4f>;
    @group(0) @binding(2) var<storage, read_write> painted: array<u32>;
    @group(0) @binding(3) var<uniform> sides: Sides;
    ${START} {
      if (at.x >= sides.width || at.y >= sides.height) { return; }
      let place = max((vec2f(at.xy) + 0.5) / ${inner} - 0.5, vec2f());
      let near = vec2u(place);
      let far = min(near + 1, vec2u(sides.across, sides.down) - 1);
      let share = place - vec2f(near);
      let upper = mix(head[near.y * sides.across + near.x], head[near.y * sides.across + far.x], share.x);
      let lower = mix(head[far.y * sides.across + near.x], head[far.y * sides.across + far.x], share.x);
      let paint = mix(upper, lower, share.y);
      let to = at.y * sides.width + at.x;
      var mixed = unpack4x8unorm(picture[to]).rgb / (1 + exp(-paint.a)) + paint.rgb;${inked}
      painted[to] = pack4x8unorm(vec4f(mixed, 1));
    }`;
}
