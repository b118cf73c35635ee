import { isMap, isScalar, isSeq, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import type { ChartSetting } from './settings.ts';

/** A JSON schema, or a part of one. */
export type Schema = { readonly [keyword: string]: unknown };

/** One value of the chart with what its comment says of it. */
export interface ChartValue {
  readonly path: string;
  readonly doc: string;
  readonly byDefault: unknown;
}

const strings: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const objects: Schema = { type: 'array', items: { type: 'object' } };
const words: Schema = { type: 'array', items: { type: 'string', minLength: 1 }, uniqueItems: true };
const named: Schema = {
  type: 'array',
  items: { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } },
};
const ports: Schema = { type: 'array', items: { type: 'integer', minimum: 1, maximum: 65_535 }, uniqueItems: true };
const integer = (minimum: number, maximum: number): Schema => ({ type: 'integer', minimum, maximum });
const oneOf = (...values: string[]): Schema => ({ enum: values });
const share: Schema = { anyOf: [integer(0, 1_000), { type: 'string', pattern: '^[0-9]{1,3}%$' }] };
const memory: Schema = { type: 'string', pattern: '^[1-9][0-9]*(Mi|Gi)$' };
const quantity: Schema = { type: ['string', 'integer', 'number'] };
const resources: Schema = {
  type: 'object',
  additionalProperties: false,
  // The heap is computed from it.
  required: ['limits'],
  properties: {
    requests: { type: 'object', additionalProperties: quantity },
    limits: {
      type: 'object',
      required: ['memory'],
      properties: { memory },
      additionalProperties: quantity,
    },
    claims: objects,
  },
};

/** What a default does not say of its value. The longest path that fits the end of a value's path counts. */
const CONSTRAINTS: Record<string, Schema> = {
  commonLabels: strings,
  annotations: strings,
  podAnnotations: strings,
  podLabels: strings,
  labels: strings,
  dashboardLabels: strings,
  nodeSelector: strings,
  affinity: { type: 'object' },
  tolerations: objects,
  topologySpreadConstraints: objects,
  extraEnv: named,
  extraVolumes: named,
  extraVolumeMounts: named,
  extraMetrics: objects,
  extraEgress: objects,
  clients: objects,
  metrics: objects,
  'networkPolicy.admin': objects,
  parentRefs: named,
  pullSecrets: named,
  tls: objects,
  hosts: words,
  hostnames: words,
  resources,
  'image.repository': { type: 'string', minLength: 1 },
  'image.pullPolicy': oneOf('Always', 'IfNotPresent', 'Never'),
  'existingSecret.name': { type: 'string', minLength: 1 },
  lanes: integer(1, 64),
  replicas: integer(0, 1_000),
  threads: integer(1, 256),
  maxConnections: integer(1, 1_000_000),
  delaySeconds: integer(0, 300),
  windowSeconds: integer(0, 900),
  terminationGracePeriodSeconds: integer(20, 1_800),
  minReplicas: integer(1, 1_000),
  maxReplicas: integer(1, 1_000),
  connectionsPerPod: integer(1, 1_000_000),
  eventLoopPercent: integer(1, 100),
  busyPercent: integer(1, 100),
  cpuPercent: integer(0, 1_000),
  secondsToDrain: integer(1, 3_600),
  scaleDownStabilizationSeconds: integer(0, 3_600),
  'pdb.maxUnavailable': share,
  'rollout.maxSurge': share,
  'rollout.maxUnavailable': share,
  minReadySeconds: integer(0, 3_600),
  'service.type': oneOf('ClusterIP', 'NodePort', 'LoadBalancer'),
  'service.port': integer(1, 65_535),
  deadlineSeconds: integer(1, 86_400),
  'ingress.timeoutSeconds': integer(60, 86_400),
  redis: ports,
  postgres: ports,
  outside: ports,
  'monitoring.interval': { type: 'string', pattern: '^[1-9][0-9]*(s|m)$' },
};

function constraintOf(path: string): Schema | undefined {
  const parts = path.split('.');
  return parts.map((_, at) => CONSTRAINTS[parts.slice(at).join('.')]).find((found) => found !== undefined);
}

function typeOf(value: unknown, path: string): Schema {
  if (typeof value === 'boolean' || typeof value === 'string') return { type: typeof value };
  throw new Error(`${path}: say in tools/chart/schema.ts what it may be`);
}

/** The comment above the first key of a map counts as one of the map. */
function docOf(key: Scalar, map: YAMLMap): string {
  const comment = key.commentBefore ?? (map.items[0]?.key === key ? map.commentBefore : null);
  return (
    (comment ?? '')
      .match(/-- ([\s\S]*)$/)?.[1]
      ?.replaceAll(/\s+/g, ' ')
      .trim() ?? ''
  );
}

/** Which settings may be given, and as what. */
function settingsSchemas(settings: Readonly<Record<string, ChartSetting>>): Record<string, Schema> {
  const value: Schema = {
    anyOf: [{ type: ['string', 'number', 'boolean'] }, { type: 'array', items: { type: 'string' } }],
  };
  const all = Object.entries(settings);
  const properties = Object.fromEntries(all.map(([name, { doc }]) => [name, { ...value, description: doc }]));
  const values: Schema = { type: 'object', additionalProperties: false, properties };
  const reference: Schema = {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'key'],
    properties: { name: { type: 'string', minLength: 1 }, key: { type: 'string', minLength: 1 } },
  };
  return {
    settings: values,
    'existingSecret.keys': { type: 'array', uniqueItems: true, items: { enum: all.map(([name]) => name) } },
    secretRefs: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(all.map(([name]) => [name, reference])),
    },
  };
}

/** The schema of a values file, made of its defaults and comments: nothing that it does not name is taken. Also all of its values. */
export function readValues(text: string, settings: Readonly<Record<string, ChartSetting>>) {
  const fixed = settingsSchemas(settings);
  const values: ChartValue[] = [];

  function schemaOf(node: unknown, path: string, doc: string): Schema {
    const own = fixed[path] ?? (path.endsWith('.settings') ? fixed.settings : undefined) ?? constraintOf(path);
    if (own === undefined && isMap(node) && node.items.length > 0) return mapSchema(node, path);
    const byDefault: unknown = isMap(node) || isSeq(node) ? node.toJSON() : isScalar(node) ? node.value : undefined;
    if (doc === '') throw new Error(`${path}: a comment that begins with -- must say what it is`);
    values.push({ path, doc, byDefault });
    return { description: doc, ...(own ?? typeOf(byDefault, path)) };
  }

  function mapSchema(map: YAMLMap, path: string): Schema {
    const properties: Record<string, Schema> = {};
    for (const pair of map.items) {
      if (!isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      properties[key] = schemaOf(pair.value, path === '' ? key : `${path}.${key}`, docOf(pair.key, map));
    }
    return { type: 'object', additionalProperties: false, properties };
  }

  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml is no map');
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the Parley chart',
    ...mapSchema(contents, ''),
  };
  // What Helm itself puts in.
  const properties: unknown = Object.assign(
    { global: { type: 'object' } },
    'properties' in schema ? schema.properties : {},
  );
  return { schema: { ...schema, properties }, values };
}
