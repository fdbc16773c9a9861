// Bundles the page into the folder that it is told; run by `make install`.
// Names carry a hash of the content, so that they may be cached for ever.
import { build } from 'esbuild';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { constants, gzipSync } from 'node:zlib';

const out = path.resolve(process.argv[2]);
const base = '/graphiql/';
const shared = {
  bundle: true,
  minify: true,
  outdir: out,
  publicPath: base,
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.ttf': 'file' },
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'linked',
  metafile: true,
  logLevel: 'warning',
  target: ['chrome111', 'firefox114', 'safari16.4'],
};

/** The address of what was made of an entry point, by the entry's path. */
function addresses({ metafile }) {
  const made = Object.entries(metafile.outputs).filter(([, output]) => output.entryPoint);
  return new Map(made.map(([file, output]) => [output.entryPoint, { script: base + path.basename(file), ...styleOf(output) }]));
}

function styleOf({ cssBundle }) {
  return cssBundle ? { style: base + path.basename(cssBundle) } : {};
}

rmSync(out, { recursive: true, force: true });
const editor = 'node_modules/monaco-editor/esm/vs/editor/editor.worker.js';
const json = 'node_modules/monaco-editor/esm/vs/language/json/json.worker.js';
const graphql = 'node_modules/monaco-graphql/esm/graphql.worker.js';
const workers = addresses(await build({ ...shared, entryPoints: [editor, json, graphql], format: 'iife' }));

const page = addresses(
  await build({
    ...shared,
    entryPoints: ['graphiql.jsx'],
    format: 'esm',
    define: {
      ...shared.define,
      WORKERS: JSON.stringify({
        editor: workers.get(editor).script,
        json: workers.get(json).script,
        graphql: workers.get(graphql).script,
      }),
    },
  }),
).get('graphiql.jsx');

for (const name of readdirSync(out)) {
  const raw = readFileSync(path.join(out, name));
  const packed = gzipSync(raw, { level: constants.Z_BEST_COMPRESSION });
  if (packed.length < raw.length * 0.9) writeFileSync(path.join(out, name + '.gz'), packed);
}
const html = readFileSync('index.html', 'utf8').replace('{{style}}', page.style).replace('{{script}}', page.script);
writeFileSync(path.join(out, 'index.html'), html);
