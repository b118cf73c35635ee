import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { needs } from '@parley/testing/vitest';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { apiSettings, readApiSettings } from '../apps/api/src/settings.ts';
import { readWorkerSettings, workerSettings } from '../apps/worker/src/settings.ts';
import { CHART, GENERATED_FOLDERS, generatedFiles } from './chart/files.ts';
import { chartSettings, MANAGED, NEVER } from './chart/settings.ts';

const run = promisify(execFile);
const helm = needs('helm', join(homedir(), 'go/bin/helm'));
const kubeconform = needs('kubeconform', join(homedir(), 'go/bin/kubeconform'));
const SCHEMAS = 'deploy/helm/schemas';
const KUBERNETES = '1.34.0';
const EXAMPLES = globSync(`${CHART}/examples/*.yaml`).sort();
const MINIMAL = `${CHART}/examples/minimal.yaml`;
const PRODUCTION = `${CHART}/examples/production.yaml`;
const MAY_TAKE_MS = 60_000;

/** One rendered object, as far as the tests look into it. */
// biome-ignore lint/suspicious/noExplicitAny: what is looked up is whatever Kubernetes has there; a miss fails the test
type Rendered = any;

/** What `helm template` prints. */
async function render(values: string, ...sets: string[]): Promise<string> {
  const args = ['template', 'parley', CHART, '-n', 'chat', '--kube-version', KUBERNETES, '-f', values];
  const { stdout } = await run(helm.path, [...args, ...sets.flatMap((set) => ['--set-json', set])]);
  return stdout;
}

/** What Helm says of values that it refuses. */
async function refusal(...sets: string[]): Promise<string> {
  const error: unknown = await render(MINIMAL, ...sets).then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
}

async function objects(values: string, ...sets: string[]): Promise<Rendered[]> {
  return parseAllDocuments(await render(values, ...sets)).map((document) => document.toJSON());
}

function the(all: readonly Rendered[], kind: string, name: string): Rendered {
  const found = all.find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

/** What kubeconform finds wrong, nothing when all is well. */
async function findings(text: string): Promise<string> {
  const places = [
    'kubernetes/{{.ResourceKind}}{{.KindSuffix}}.json',
    'crds/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json',
  ];
  const locations = places.flatMap((place) => ['-schema-location', `${SCHEMAS}/${place}`]);
  const child = run(kubeconform.path, ['-strict', '-kubernetes-version', KUBERNETES, ...locations, '-']);
  child.child.stdin?.end(text);
  return child.then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

const podsOf = (all: readonly Rendered[]) => all.filter(({ kind }) => ['Deployment', 'Job'].includes(kind));

describe('the chart', () => {
  it('[DEPLOY-1] has the version of the workspace', () => {
    const chart = readFileSync(`${CHART}/Chart.yaml`, 'utf8');
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(chart).toMatch(new RegExp(`^version: ${version}$`, 'm'));
    expect(chart).toMatch(new RegExp(`^appVersion: ${version}$`, 'm'));
  });

  it('[DEPLOY-2] has what it copies, and what is made of the settings, as it is elsewhere', () => {
    const wanted = generatedFiles('.');
    const stale = [...wanted].filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text);
    const strange = GENERATED_FOLDERS.flatMap((folder) => globSync(`${folder}/*.*`)).filter(
      (path) => !wanted.has(path),
    );
    const remedy = 'run: node --conditions=@parley/source tools/chart-files.ts';
    expect([...stale.map(([path]) => path), ...strange], remedy).toEqual([]);
  });

  helm.describe('rendered', () => {
    it.each(EXAMPLES)('[DEPLOY-3] passes the strict lint: %s', async (example) => {
      const lint = ['lint', '--strict', '--kube-version', KUBERNETES, CHART, '-f', example];
      const { stdout } = await run(helm.path, lint);
      expect(stdout).toContain('0 chart(s) failed');
    });

    kubeconform.test(
      '[DEPLOY-4] is what Kubernetes and the operators take, to the last field',
      async () => {
        for (const example of EXAMPLES) expect(await findings(await render(example)), example).toBe('');
        const gateway = { enabled: true, parentRefs: [{ name: 'edge' }], hostnames: ['chat.example.org'] };
        const text = await render(PRODUCTION, `gateway=${JSON.stringify(gateway)}`);
        expect(text).toContain('kind: HTTPRoute');
        expect(await findings(text)).toBe('');
        const control = await findings(text.replace('terminationGracePeriodSeconds', 'terminationGracePeriod'));
        expect(control).toMatch(/additional properties 'terminationGracePeriod' not allowed/);
        expect(await findings(text.replace('podMetricsEndpoints', 'podMetricEndpoints'))).toMatch(
          /PodMonitor .* invalid/,
        );
        expect(await findings(text.replace('kind: Ingress', 'kind: Egress'))).toMatch(
          /could not find schema for Egress/,
        );
      },
      MAY_TAKE_MS,
    );

    it('[DEPLOY-5] is in production what was looked at last', async () => {
      const text = await render(PRODUCTION);
      // Rules and dashboards have tests of their own; here it counts that they are there.
      const own = parseAllDocuments(text).filter((document) => {
        const { kind, metadata } = document.toJSON();
        return kind !== 'PrometheusRule' && !String(metadata.name).includes('-dashboard-');
      });
      await expect(own.map(String).join('')).toMatchFileSnapshot('chart/production.rendered.yaml');
    });

    it.each([
      ['api.threads="many"', "at '/api/threads': got string, want integer"],
      ['lanes=65', "at '/lanes': maximum: got 65, want 64"],
      ['api.thread=2', "at '/api': additional properties 'thread' not allowed"],
      ['replicas=2', "additional properties 'replicas' not allowed"],
      ['settings.LOG_LEVLE="info"', "at '/settings': additional properties 'LOG_LEVLE' not allowed"],
      ['settings.DEV_TOKENS=true', "at '/settings': additional properties 'DEV_TOKENS' not allowed"],
      ['settings.PORT=80', "at '/settings': additional properties 'PORT' not allowed"],
      [
        'image.pullPolicy="Sometimes"',
        "at '/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'",
      ],
      ['api.resources.limits.memory="2G"', "at '/api/resources/limits/memory': '2G' does not match pattern"],
      ['api.resources={"limits":null}', "at '/api/resources': missing property 'limits'"],
      ['existingSecret.keys=["PASSWORD"]', "at '/existingSecret/keys/0': value must be one of"],
      ['ingress.timeoutSeconds=30', "at '/ingress/timeoutSeconds': minimum: got 30, want 60"],
      ['settings.SMTP_URL="smtp://a"', 'settings.SMTP_URL: a secret; name it in existingSecret.keys or secretRefs'],
      ['api.settings.SMTP_FROM="a@b.c"', 'api.settings.SMTP_FROM: no setting of the api'],
      ['existingSecret.keys=["AUTH_SECRET"]', 'existingSecret.keys: DATABASE_URL is missing; nothing runs without it'],
      ['existingSecret.keys=["DATABASE_URL","REDIS_LOG_URL","REDIS_CACHE_URL"]', 'tokens must be verified'],
      ['settings.AUTH_JWKS_URL="https://a"', 'settings.AUTH_JWKS_URL: not together with AUTH_SECRET'],
      ['attachments.existingClaim=""', 'attachments.existingClaim: set it, or settings.S3_BUCKET'],
      ['settings.S3_BUCKET="chat"', 'existingSecret.keys: S3_SECRET_ACCESS_KEY is missing'],
      ['api.admin.enabled=true', 'api.admin.enabled: needs ADMIN_TOKEN among the secrets'],
      ['worker.autoscaling={"enabled":true,"maxReplicas":5}', 'worker.autoscaling.maxReplicas: 5 workers for 4 lanes'],
      ['worker.replicas=5', 'worker.replicas: 5 workers for 4 lanes'],
      ['api.autoscaling={"enabled":true,"minReplicas":11}', 'api.autoscaling.minReplicas: more than maxReplicas'],
      ['api.autoscaling={"enabled":true,"connectionsPerPod":10000}', 'must be below api.maxConnections (10000)'],
      ['ingress.enabled=true', 'ingress.hosts: name at least one'],
      ['gateway.enabled=true', 'gateway.parentRefs: name at least one'],
    ])('[DEPLOY-6] refuses %s, and says why', async (set, message) => {
      expect(await refusal(set)).toContain(message);
    });

    it('[DEPLOY-6] names every problem at once', async () => {
      const said = await refusal('api.admin.enabled=true', 'ingress.enabled=true', 'worker.replicas=9');
      expect(said).toMatch(/3 bad values:\n {2}api\.admin.*\n {2}worker\.replicas.*\n {2}ingress\.hosts/);
    });

    it('[DEPLOY-8] no container is root, may write to its image, gain rights or reach the cluster', async () => {
      for (const { kind, spec } of podsOf(await objects(PRODUCTION))) {
        const pod = spec.template.spec;
        expect(pod.automountServiceAccountToken, kind).toBe(false);
        expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
        for (const { securityContext } of pod.containers) {
          expect(securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ['ALL'] },
          });
        }
      }
    });

    it('[DEPLOY-9] an api has time for its whole drain, and the next goes only when it has gone', async () => {
      for (const [delaySeconds, windowSeconds] of [
        [0, 0],
        [10, 20],
        [30, 600],
      ]) {
        const drain = `api.drain=${JSON.stringify({ delaySeconds, windowSeconds })}`;
        const all = await objects(PRODUCTION, drain);
        const { terminationGracePeriodSeconds } = the(all, 'Deployment', 'parley-api').spec.template.spec;
        const { data } = the(all, 'ConfigMap', 'parley-api');
        const { DRAIN_DELAY_MS, DRAIN_WINDOW_MS } = readApiSettings({ ...data, ...SECRETS });
        // main.ts gives the threads 20 s beyond the window.
        const needed = (DRAIN_DELAY_MS + DRAIN_WINDOW_MS) / 1_000 + 20;
        expect(terminationGracePeriodSeconds).toBeGreaterThan(needed);
        const { scaleDown } = the(all, 'HorizontalPodAutoscaler', 'parley-api').spec.behavior;
        expect(scaleDown.policies).toEqual([{ type: 'Pods', value: 1, periodSeconds: expect.any(Number) }]);
        expect(scaleDown.policies[0].periodSeconds).toBeGreaterThanOrEqual(terminationGracePeriodSeconds);
        expect(scaleDown.stabilizationWindowSeconds).toBeGreaterThan(0);
      }
    });

    it('[DEPLOY-10] a quiet socket stays open, and nothing is sticky', async () => {
      // A dashboard may speak of it.
      const text = await render(PRODUCTION, 'monitoring.dashboards=false', 'monitoring.rules=false');
      const { annotations } = the(await objects(PRODUCTION), 'Ingress', 'parley-api').metadata;
      for (const name of ['read', 'send']) {
        expect(Number(annotations[`nginx.ingress.kubernetes.io/proxy-${name}-timeout`])).toBeGreaterThanOrEqual(3_600);
      }
      expect(text.match(/.*(affinity|sticky).*/gi)).toEqual(['  sessionAffinity: None']);
    });

    it('[DEPLOY-11] traffic goes where Parley must go, and from nobody else', async () => {
      const all = await objects(PRODUCTION);
      for (const component of ['api', 'worker', 'migrate']) {
        const { policyTypes, podSelector, egress } = the(all, 'NetworkPolicy', `parley-${component}`).spec;
        expect(policyTypes).toEqual(['Ingress', 'Egress']);
        expect(podSelector.matchLabels['app.kubernetes.io/component']).toBe(component);
        expect(egress.every(({ ports }: Rendered) => ports.length > 0)).toBe(true);
      }
      expect(the(all, 'NetworkPolicy', 'parley-migrate').spec.ingress).toEqual([]);
      const closed = await objects(PRODUCTION, 'networkPolicy.admin=[]');
      expect(JSON.stringify(the(closed, 'NetworkPolicy', 'parley-api').spec.ingress)).not.toContain('"admin"');
    });

    it('[DEPLOY-12] the database is migrated before anything is rolled out, with the image of the workers', async () => {
      const { metadata, spec } = the(await objects(PRODUCTION), 'Job', 'parley-migrate');
      expect(metadata.annotations['helm.sh/hook']).toBe('pre-install,pre-upgrade');
      const [container] = spec.template.spec.containers;
      expect(container.args).toEqual(['apps/worker/dist/migrate.js']);
      expect(existsSync(container.args[0].replace('dist', 'src').replace('.js', '.ts'))).toBe(true);
    });

    it('[DEPLOY-13] every rule and dashboard of the repository comes with the monitors', async () => {
      const all = await objects(PRODUCTION);
      const names = all.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(names).toEqual(expect.arrayContaining(['ServiceMonitor parley-api', 'PodMonitor parley-worker']));
      const nameOf = (path: string) => path.replace(/^.*\//, '').replace(/\.\w+$/, '');
      for (const path of globSync('deploy/prometheus/rules/*.yaml')) {
        expect(names).toContain(`PrometheusRule parley-${nameOf(path)}`);
      }
      for (const path of globSync('deploy/grafana/dashboards/*.json')) {
        expect(names).toContain(`ConfigMap parley-dashboard-${nameOf(path)}`);
      }
      expect(names).toContain('PrometheusRule parley-scaling');
    });

    it('[DEPLOY-14] both apps take what the chart gives them', async () => {
      for (const example of EXAMPLES) {
        const all = await objects(example);
        for (const app of ['api', 'worker'] as const) {
          const { data } = the(all, 'ConfigMap', `parley-${app}`);
          const [container] = the(all, 'Deployment', `parley-${app}`).spec.template.spec.containers;
          const secrets = container.env.map(({ name }: Rendered) => [name, SECRETS[name] ?? 'a'.repeat(43)]);
          const env = { ...data, ...Object.fromEntries(secrets) };
          const known = Object.keys(app === 'api' ? apiSettings : workerSettings);
          const strange = Object.keys(env).filter((name) => !known.includes(name) && name !== 'NODE_OPTIONS');
          expect(strange, `${example}: ${app}`).toEqual([]);
          const settings = app === 'api' ? readApiSettings(env) : readWorkerSettings(env);
          expect(settings).toMatchObject({ NODE_ENV: 'production', OPS_PORT: 3_001 });
        }
      }
    });

    it('[DEPLOY-14] a large number, a list and a false arrive as they were written', async () => {
      const sets = [
        'settings={"HTTP_QUERIES_PER_HOUR":10000000,"ALLOWED_HOSTS":["a.example","b.example"],"CACHE_ENABLED":true}',
        'api.settings={"CACHE_ENABLED":false}',
      ];
      const { data } = the(await objects(MINIMAL, ...sets), 'ConfigMap', 'parley-api');
      const { DATABASE_URL, REDIS_LOG_URL, REDIS_CACHE_URL } = SECRETS;
      const secrets = { DATABASE_URL, REDIS_LOG_URL, REDIS_CACHE_URL, AUTH_SECRET: 'a'.repeat(32) };
      const settings = readApiSettings({ ...data, ...secrets });
      expect(settings.HTTP_QUERIES_PER_HOUR).toBe(10_000_000);
      expect(settings.ALLOWED_HOSTS).toEqual(['a.example', 'b.example']);
      expect(settings.CACHE_ENABLED).toBe(false);
    });
  });

  it('[DEPLOY-7] lets every setting of both apps be set, but those that it gives itself or nobody may have', () => {
    const all = new Set([...Object.keys(apiSettings), ...Object.keys(workerSettings)]);
    const covered = [...Object.keys(chartSettings()), ...MANAGED, ...NEVER];
    expect(covered.toSorted()).toEqual([...all].sort());
    const schema = JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8'));
    for (const { properties } of [schema.properties.settings, schema.properties.api.properties.settings]) {
      expect(Object.keys(properties)).toEqual(Object.keys(chartSettings()));
    }
  });
});

/** What a Secret might hold. */
const SECRETS: Record<string, string> = {
  DATABASE_URL: 'postgres://parley@db/parley',
  REDIS_LOG_URL: 'redis://log',
  REDIS_CACHE_URL: 'redis://cache',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 'key',
  SMTP_URL: 'smtps://mail',
  FILES_SECRET: 'f'.repeat(32),
  VAPID_PRIVATE_KEY: 'a'.repeat(43),
};
