import { QueryDefinition, QueryString } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Observed } from './on-call.ts';

/** Saved Logs Insights queries in a folder of the deployment's name. docs/runbook.md calls them by these names. */
export class Queries extends Construct {
  constructor(scope: Construct, id: string, { logs, deployment }: Observed) {
    super(scope, id);
    const everything = [logs.webhook, logs.runner];
    new QueryDefinition(this, 'SessionLife', {
      queryDefinitionName: `${deployment}/One session from webhook to end`,
      logGroups: everything,
      queryString: new QueryString({
        fields: ['@timestamp', 'level', 'event', 'epoch', 'taskId', '@message'],
        filterStatements: ['rtmsStreamId = "paste the rtms_stream_id here"'],
        sort: '@timestamp asc',
        limit: 1000,
      }),
    });
    new QueryDefinition(this, 'ErrorsByCode', {
      queryDefinitionName: `${deployment}/Errors by code`,
      logGroups: everything,
      queryString: new QueryString({
        filterStatements: ['level in ["error", "warn", "ERROR", "WARN"]'],
        statsStatements: [
          'count(*) as lines, count_distinct(rtmsStreamId) as sessions by coalesce(error.code, event) as what',
        ],
        sort: 'lines desc',
        limit: 50,
      }),
    });
    new QueryDefinition(this, 'LoudestSessions', {
      queryDefinitionName: `${deployment}/Sessions with most errors`,
      logGroups: [logs.runner],
      queryString: new QueryString({
        filterStatements: ['level in ["error", "warn"] and ispresent(rtmsStreamId)'],
        statsStatements: ['count(*) as lines, latest(@timestamp) as last by rtmsStreamId'],
        sort: 'lines desc',
        limit: 20,
      }),
    });
  }
}
