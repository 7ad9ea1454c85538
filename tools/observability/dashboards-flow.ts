import type { Dashboard } from './panels.ts';
import { handling, http, OF, quantile, rate } from './queries.ts';

/** Rate, errors, duration of whatever is asked over HTTP, and what comes of orders. */
export const red: Dashboard = {
  uid: 'orders-red',
  title: 'Orders: RED',
  description: 'Rate, errors and duration per route; and what becomes of orders.',
  panels: [
    {
      title: 'Requests',
      says: 'Per route. Probes are not counted.',
      unit: 'reqps',
      lines: [
        {
          expr: rate(`${http}_count`, 'service, http_request_method, http_route'),
          legend: '{{service}} {{http_request_method}} {{http_route}}',
        },
      ],
    },
    {
      title: 'Share of 5xx',
      says: 'Above 0.1 % the objective is missed if it goes on (alerts HttpErrorBudgetBurns…).',
      unit: 'percentunit',
      badFrom: 0.001,
      lines: [{ expr: `service:http_errors:ratio_5m${OF}`, legend: '{{service}}' }],
    },
    {
      title: 'Duration, 99th percentile',
      says: 'Per route (alert HttpSlow).',
      unit: 's',
      badFrom: 1,
      lines: [{ expr: quantile(0.99, http, 'service, http_route'), legend: '{{service}} {{http_route}}' }],
    },
    {
      title: 'Duration, median',
      says: 'Per route.',
      unit: 's',
      lines: [{ expr: quantile(0.5, http, 'service, http_route'), legend: '{{service}} {{http_route}}' }],
    },
    {
      title: 'Answers by status',
      says: '4xx are the callers’ mistakes, 503 is a dependency that is away.',
      unit: 'reqps',
      lines: [
        {
          expr: rate(`${http}_count`, 'service, http_response_status_code'),
          legend: '{{service}} {{http_response_status_code}}',
        },
      ],
    },
    {
      title: 'Orders confirmed and settled',
      says: 'Settled follows confirmed by seconds (alert OrdersDoNotSettle).',
      unit: 'short',
      lines: [
        { expr: 'sum(rate(orders_confirmed_total[$__rate_interval]))', legend: 'confirmed' },
        { expr: 'sum by (state) (rate(orders_settled_total[$__rate_interval]))', legend: '{{state}}' },
      ],
    },
    {
      title: 'Outgoing requests, 99th percentile',
      says: 'What payments waits for is the gateway.',
      unit: 's',
      lines: [
        {
          expr: quantile(
            0.99,
            'http_client_request_duration_seconds',
            'service, server_address, server_port',
          ),
          legend: '{{service}} → {{server_address}}:{{server_port}}',
        },
      ],
    },
    {
      title: 'Outgoing requests that failed',
      says: 'No answer, or 4xx and 5xx.',
      unit: 'reqps',
      lines: [
        {
          expr: rate(
            'http_client_request_duration_seconds_count',
            'service, error_type',
            '{service=~"$service", error_type!=""}',
          ),
          legend: '{{service}} {{error_type}}',
        },
      ],
    },
  ],
};

/** From the row in the outbox to the handler. */
export const messaging: Dashboard = {
  uid: 'messaging',
  title: 'Messaging: outbox, lag, dead letters',
  description: 'From the row in the outbox to the handler, and what did not get there.',
  panels: [
    {
      title: 'Events in the outbox',
      says: 'Published within milliseconds, so usually none.',
      unit: 'short',
      lines: [
        { expr: `max by (service) (outbox_depth${OF})`, legend: '{{service}}' },
        { expr: `max by (service) (outbox_parked${OF})`, legend: '{{service}}, set aside' },
      ],
    },
    {
      title: 'Oldest event in the outbox',
      says: 'Grows while the broker is away (alert OutboxStands).',
      unit: 's',
      badFrom: 60,
      lines: [{ expr: `max by (service) (outbox_oldest_age_seconds${OF})`, legend: '{{service}}' }],
    },
    {
      title: 'Consumer lag',
      says: 'Messages not committed yet (alert ConsumerLags). A partition that is paused by an open circuit lags, too.',
      unit: 'short',
      badFrom: 500,
      lines: [
        {
          expr: `sum by (messaging_consumer_group_name, messaging_destination_name) (messaging_consumer_lag${OF})`,
          legend: '{{messaging_consumer_group_name}} of {{messaging_destination_name}}',
        },
      ],
    },
    {
      title: 'Consumers in their groups',
      says: 'Replicas that have joined; 0 means that nobody handles anything (alert ConsumerGone).',
      unit: 'short',
      lines: [
        {
          expr: `sum by (messaging_consumer_group_name) (messaging_consumer_joined${OF})`,
          legend: '{{messaging_consumer_group_name}}',
        },
      ],
    },
    {
      title: 'Messages handled',
      says: 'Tries, so a message that is tried again counts again.',
      unit: 'short',
      lines: [
        {
          expr: rate(`${handling}_count`, 'messaging_consumer_group_name, messaging_destination_name'),
          legend: '{{messaging_consumer_group_name}} of {{messaging_destination_name}}',
        },
      ],
    },
    {
      title: 'Handling, 99th percentile',
      says: 'Each try by itself.',
      unit: 's',
      lines: [
        {
          expr: quantile(0.99, handling, 'messaging_consumer_group_name, messaging_destination_name'),
          legend: '{{messaging_consumer_group_name}} of {{messaging_destination_name}}',
        },
      ],
    },
    {
      title: 'Tries that failed',
      says: 'By what was thrown.',
      unit: 'short',
      lines: [
        {
          expr: rate(`${handling}_count`, 'service, error_type', '{service=~"$service", error_type!=""}'),
          legend: '{{service}} {{error_type}}',
        },
      ],
    },
    {
      title: 'Messages that wait for an earlier one',
      says: 'Of the same order or payment; usually behind a dead letter (alert EventsHeld).',
      unit: 'short',
      badFrom: 1,
      lines: [
        {
          expr: `max by (messaging_consumer_group_name) (messaging_consumer_held${OF})`,
          legend: '{{messaging_consumer_group_name}}',
        },
      ],
    },
    {
      title: 'Messages out of turn',
      says: 'Held, turned around on their way, or sent again.',
      unit: 'short',
      lines: [
        {
          expr: rate('messaging_out_of_order_total', 'messaging_consumer_group_name, outcome'),
          legend: '{{messaging_consumer_group_name}} {{outcome}}',
        },
      ],
    },
    {
      title: 'Payments that wait for the gateway',
      says: 'Charging: nobody knows the outcome yet. Refunding: decided, and not made yet.',
      unit: 'short',
      lines: [{ expr: `max by (state) (payments_waiting${OF})`, legend: '{{state}}' }],
    },
    {
      title: 'Books that differ',
      says: 'Gateway, payments and orders, by what came of it; `node main.js reconcile` repairs and lists.',
      unit: 'short',
      lines: [
        {
          expr: rate('payments_reconcile_findings_total', 'finding, outcome'),
          legend: '{{finding}} {{outcome}}',
        },
      ],
    },
    {
      title: 'Jobs announced',
      says: 'By all replicas of scheduler together: one per tick. `node main.js runs` lists them.',
      unit: 'short',
      lines: [
        {
          expr: 'sum by (job_name) (increase(jobs_due_total[$__rate_interval]))',
          legend: '{{job_name}}',
        },
        {
          expr: 'sum by (job_name, outcome) (increase(jobs_overdue_total[$__rate_interval]))',
          legend: '{{job_name}} without all its reports: {{outcome}}',
        },
        {
          expr: 'sum by (job_name) (increase(jobs_missed_total[$__rate_interval]))',
          legend: '{{job_name}} left out after a downtime',
        },
      ],
    },
    {
      title: 'Dead letters since the start of the process',
      says: 'Parked for an operator (alert DeadLetters).',
      unit: 'short',
      kind: 'stat',
      badFrom: 1,
      lines: [
        {
          expr: `sum by (messaging_consumer_group_name) (messaging_dead_letters_total${OF}) or vector(0)`,
          legend: '{{messaging_consumer_group_name}}',
        },
      ],
    },
  ],
};
