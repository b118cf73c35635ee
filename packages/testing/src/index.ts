export { type Cluster, startCluster } from './cluster.ts';
export { freePort } from './servers/free-port.ts';
export { type PostgresServer, startPostgres } from './servers/postgres-server.ts';
export { type PrometheusServer, type Sample, type ScrapeTarget, startPrometheus } from './servers/prometheus-server.ts';
export { type RedisServer, startRedis } from './servers/redis-server.ts';
