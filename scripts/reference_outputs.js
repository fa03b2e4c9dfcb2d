// Runs the graphs of the catalogue with the library that they were written for; see reference_outputs.py.
// usage: node reference_outputs.js TFJS FACE_API FOLDER  (a job in FOLDER/job.json, outputs in FOLDER/NAME.f32)
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [tfjs, faceApi, folder] = process.argv.slice(2);

function buffer(file) {
  const bytes = fs.readFileSync(file);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

// face-api is bundled for browsers and fails in Node, so its context has only what browsers have.
function browserLibrary(file) {
  const context = vm.createContext({
    console, performance, setTimeout, clearTimeout, TextEncoder, TextDecoder, Float32Array, Int32Array,
    Uint8Array, ArrayBuffer,
  });
  vm.runInContext(`var window = globalThis, self = window, document = {}, navigator = { userAgent: "" }; ${fs.readFileSync(file, "utf8")}`, context);
  return context.faceapi;
}

async function graphModel(tf, job) {
  const model = JSON.parse(fs.readFileSync(path.join(job.folder, "graph.json"), "utf8"));
  const weights = {
    weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
    weightData: buffer(path.join(job.folder, "graph.bin")),
  };
  const graph = await tf.loadGraphModel({ load: async () => ({ ...model, ...weights }) });
  const kind = graph.inputs[0].dtype;
  return (image) => graph.execute(tf.cast(image, kind), job.outputs.flat());
}

async function expressions(faceapi, job) {
  const manifest = JSON.parse(fs.readFileSync(path.join(job.folder, "graph.json"), "utf8"));
  const specs = manifest.flatMap((group) => group.weights);
  const tf = faceapi.tf;
  const none = class {};
  faceapi.env.setEnv({
    Canvas: none, CanvasRenderingContext2D: none, Image: none, ImageData: none, Video: none,
    createCanvasElement: () => null, createImageElement: () => null, createVideoElement: () => null,
  });
  faceapi.nets.faceExpressionNet.loadFromWeightMap(
    tf.io.decodeWeights(buffer(path.join(job.folder, "graph.bin")), specs),
  );
  return async (image) => faceapi.nets.faceExpressionNet.forward(image);
}

async function main() {
  for (const job of JSON.parse(fs.readFileSync(path.join(folder, "job.json"), "utf8"))) {
    const isFace = job.format === "face-api";
    const library = isFace ? browserLibrary(faceApi) : require(tfjs);
    const tf = isFace ? library.tf : library;
    await tf.setBackend("cpu");
    await tf.ready();
    const image = tf.tensor(new Float32Array(buffer(path.join(folder, `${job.name}.in`))), job.shape);
    const run = isFace ? await expressions(library, job) : await graphModel(tf, job);
    const outputs = [await run(image)].flat();
    let index = 0;
    const columns = job.outputs.map((names) => {
      const rows = names.map(() => outputs[index++]);
      return rows.length > 1 ? tf.concat(rows, 1) : rows[0];
    });
    const joined = columns.length > 1 ? tf.concat(columns, -1) : columns[0];
    const values = await joined.data();
    fs.writeFileSync(path.join(folder, `${job.name}.f32`), Buffer.from(new Float32Array(values).buffer));
    fs.writeFileSync(path.join(folder, `${job.name}.json`), JSON.stringify(joined.shape));
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
