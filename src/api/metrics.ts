// What an exchange tells Prometheus. All but the HTTP histogram is read at the moment of the scrape.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HealthCounts } from '../calls/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/index.ts';

/** What the rest of the exchange holds. */
export interface ExchangeCounts {
  readonly calls: number;
  readonly transactions: number;
  readonly dialogs: number;
  readonly mediaSessions: number;
  /** Status callbacks that are being sent. */
  readonly callbacks: number;
  /** Requests to status callback URLs that got no answer, or one of 300 and above. */
  readonly callbackFailures: number;
  /** Callbacks that were left to the outbox, as their host was owed too many. */
  readonly callbacksDeferred?: number;
  readonly targetHealth?: HealthCounts;
}

export interface MetricsSources {
  readonly store: Store;
  readonly clock: Clock;
  readonly counts: () => ExchangeCounts;
}

export interface AnsweredRequest {
  readonly method: string;
  /** Template, such as `/v1/ByocTrunks/:Sid`. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
}

export interface Metrics {
  readonly contentType: string;
  answered(request: AnsweredRequest): void;
  /** In Prometheus' text format. */
  text(): Promise<string>;
  close(): void;
}

const HTTP_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const LAG_RESOLUTION_MS = 20;

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const http = new Histogram({
    name: 'tandem_http_request_duration_seconds',
    help: 'REST requests by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: HTTP_BUCKETS_S,
    registers: [registry],
  });
  addExchange(registry, sources);
  addTargetHealth(registry, sources);
  addStore(registry, sources.store);
  addProcess(registry, sources.clock);
  const stopLag = addEventLoopLag(registry);
  return {
    contentType: registry.contentType,
    answered: ({ method, route, status, ms }) => http.observe({ method, route, status }, ms / 1000),
    text: () => registry.metrics(),
    close: stopLag,
  };
}

type Read = () => number | Promise<number>;

function gauge(registry: Registry, [name, help]: readonly [string, string], read: Read): void {
  const metric = new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      metric.set(await read());
    },
  });
}

function counter(registry: Registry, [name, help]: readonly [string, string], read: () => number): void {
  const metric = new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      metric.reset();
      metric.inc(read());
    },
  });
}

function addExchange(registry: Registry, { counts }: MetricsSources): void {
  gauge(registry, ['tandem_calls_live', 'Calls under way on this node'], () => counts().calls);
  gauge(registry, ['tandem_sip_transactions', 'SIP transactions held'], () => counts().transactions);
  gauge(registry, ['tandem_sip_dialogs', 'SIP dialogs held'], () => counts().dialogs);
  gauge(registry, ['tandem_media_sessions', 'Media sessions open'], () => counts().mediaSessions);
  gauge(registry, ['tandem_callbacks_sending', 'Status callbacks being sent'], () => counts().callbacks);
  counter(
    registry,
    [
      'tandem_callback_failures_total',
      'Status callback requests without an answer, or with one of 300 and above',
    ],
    () => counts().callbackFailures,
  );
  counter(
    registry,
    [
      'tandem_callbacks_deferred_total',
      'Status callbacks left to the outbox, as their host was owed too many',
    ],
    () => counts().callbacksDeferred ?? 0,
  );
}

/** By state only: a label for each target would know no bound. */
function addTargetHealth(registry: Registry, { counts }: MetricsSources): void {
  const states = new Gauge({
    name: 'tandem_targets',
    help: 'Places that targets name, by state of health',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(counts().targetHealth?.states ?? {})) {
        states.set({ state }, count);
      }
    },
  });
  const transitions = new Counter({
    name: 'tandem_target_transitions_total',
    help: 'Changes of health of places that targets name, by the state they came into',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      transitions.reset();
      for (const [state, count] of Object.entries(counts().targetHealth?.transitions ?? {})) {
        transitions.inc({ state }, count);
      }
    },
  });
}

function addStore(registry: Registry, store: Store): void {
  const journal = () => store.counts().journal;
  gauge(registry, ['tandem_outbox_callbacks', 'Status callbacks not settled yet, of all nodes'], () =>
    store.journal.countWaiting().catch(() => Number.NaN),
  );
  gauge(
    registry,
    ['tandem_journal_waiting', 'Call records that wait to be written'],
    () => journal().waiting,
  );
  counter(
    registry,
    ['tandem_journal_refused_total', 'Call records refused, as too many wait for a database that is away'],
    () => journal().refused,
  );
  counter(
    registry,
    ['tandem_journal_commits_total', 'Groups of call records written'],
    () => journal().commits,
  );
  counter(
    registry,
    ['tandem_journal_commit_seconds_total', 'Time spent writing groups of call records'],
    () => journal().commitMs / 1000,
  );
  gauge(
    registry,
    ['tandem_directory_age_seconds', 'How long ago the configuration in memory was known to be the latest'],
    () => store.counts().directoryAgeMs / 1000,
  );
  counter(registry, ['tandem_calls_placed_total', 'Calls that began'], () => journal().callsPlaced);
  const ended = new Counter({
    name: 'tandem_calls_ended_total',
    help: 'Calls that ended, by status',
    labelNames: ['status'],
    registers: [registry],
    collect() {
      ended.reset();
      for (const [status, count] of Object.entries(journal().callsEnded)) ended.inc({ status }, count);
    },
  });
}

/** Under the names that prom-client's own collectors use, which dashboards know. */
function addProcess(registry: Registry, clock: Clock): void {
  const startedAtS = clock.now() / 1000 - process.uptime();
  gauge(registry, ['process_start_time_seconds', 'Start of the process since the epoch'], () => startedAtS);
  counter(registry, ['process_cpu_seconds_total', 'CPU time of the process'], () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge(registry, ['process_resident_memory_bytes', 'Resident memory'], () => process.memoryUsage.rss());
  gauge(
    registry,
    ['nodejs_heap_size_used_bytes', 'JavaScript heap in use'],
    () => process.memoryUsage().heapUsed,
  );
}

/** Lag since the scrape before. */
function addEventLoopLag(registry: Registry): () => void {
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  lag.enable();
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - LAG_RESOLUTION_MS / 1000);
  const metric = new Gauge({
    name: 'nodejs_eventloop_lag_seconds',
    help: 'Event loop lag since the last scrape',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      metric.set({ quantile: '0.5' }, seconds(lag.percentile(50)));
      metric.set({ quantile: '0.99' }, seconds(lag.percentile(99)));
      metric.set({ quantile: '1' }, seconds(lag.max));
      lag.reset();
    },
  });
  return () => lag.disable();
}
