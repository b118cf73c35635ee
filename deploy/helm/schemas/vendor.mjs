// Makes the schemas beside it: node vendor.mjs <folder with the unpacked packages that README.md names>.
// What kubeconform needs is one file a kind, whole and strict; descriptions are left out, they are nine tenths of it.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const KUBERNETES = [
  'configmap-v1',
  'deployment-apps-v1',
  'horizontalpodautoscaler-autoscaling-v2',
  'ingress-networking-v1',
  'job-batch-v1',
  'networkpolicy-networking-v1',
  'poddisruptionbudget-policy-v1',
  'service-v1',
  'serviceaccount-v1',
];
const CRDS = ['PodMonitor', 'ServiceMonitor', 'PrometheusRule', 'HTTPRoute'];

const from = process.argv[2] ?? '.';
const here = fileURLToPath(new URL('.', import.meta.url));
const read = (pattern) => readFileSync(globSync(`${from}/${pattern}`)[0] ?? `${from}/${pattern}`, 'utf8');

/** Without words, and with every reference to another file turned to one inside. */
function bare(node) {
  if (Array.isArray(node)) return node.map(bare);
  if (node === null || typeof node !== 'object') return node;
  const kept = Object.entries(node).filter(
    ([key, value]) => !key.startsWith('x-kubernetes') && !['$id', 'nullable'].includes(key) && !isWords(key, value),
  );
  return Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string' ? value.replace(/^.*#\/\$defs\//, '#/$defs/') : bare(value),
    ]),
  );
}

const isWords = (key, value) => key === 'description' && typeof value === 'string';

/** The definitions that a schema reaches, and those that they reach. */
function reached(schema, all, found = {}) {
  for (const [, name] of JSON.stringify(schema).matchAll(/"#\/\$defs\/([^"]+)"/g)) {
    if (name in found) continue;
    found[name] = bare(all[name]);
    reached(found[name], all, found);
  }
  return found;
}

/** A resource of somebody else allows nothing that it does not name, either. */
function strict(node) {
  if (Array.isArray(node)) return node.map(strict);
  if (node === null || typeof node !== 'object') return node;
  const inner = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, strict(value)]));
  const isObject =
    inner.type === 'object' && inner.properties !== undefined && inner.additionalProperties === undefined;
  return isObject ? { ...inner, additionalProperties: false } : inner;
}

function save(name, schema) {
  mkdirSync(new URL('.', `file://${here}${name}`), { recursive: true });
  writeFileSync(`${here}${name}.json`, `${JSON.stringify(schema)}\n`);
}

const strictFolder = 'kubernetes_validate/kubernetes-json-schema/v1.34.0-local-strict';
const all = JSON.parse(read(`**/${strictFolder}/_definitions.json`)).$defs;
for (const name of KUBERNETES) {
  const schema = bare(JSON.parse(read(`**/${strictFolder}/${name}.json`)));
  save(`kubernetes/${name}`, { ...schema, $defs: reached(schema, all) });
}

for (const kind of CRDS) {
  const source = read(`**/package/*/v1/${kind}.mjs`);
  const text = source.match(/^const schema = (\{[\s\S]*?^\});/m)?.[1];
  const version = source.match(/apiVersion = "([^"]+)"/)?.[1];
  if (!text || !version) throw new Error(`${kind}: no schema`);
  const schema = strict(bare(JSON.parse(text)));
  // The metadata of every object are the same, and Kubernetes' own.
  schema.properties.metadata = bare(all['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta']);
  const [group] = version.split('/');
  save(`crds/${group}/${kind.toLowerCase()}_v1`, { ...schema, $defs: reached(schema, all) });
}
