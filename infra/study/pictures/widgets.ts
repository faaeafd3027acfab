import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { Widget } from './dashboard-picture.ts';

/** The dashboard body of a stack, with a placeholder for what only a deployment knows. */
export function widgetsOf(stack: Stack): Widget[] {
  const [dashboard] = Object.values(
    Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'),
  );
  const body: unknown = dashboard?.['Properties']?.DashboardBody;
  const { widgets } = JSON.parse(join(body)) as { widgets: Widget[] };
  return widgets.filter(({ properties }) => !isRunbook(properties.markdown));
}

/** The runbook's texts; the headings between graphs are one line each. */
function isRunbook(markdown: string | undefined): boolean {
  return markdown?.includes('\n') === true;
}

/** `{"Fn::Join": ["", [text, {Ref: …}, …]]}` as text. */
function join(body: unknown): string {
  if (typeof body === 'string') return body;
  const { 'Fn::Join': parts } = body as { 'Fn::Join': [string, unknown[]] };
  return parts[1].map((part) => (typeof part === 'string' ? part : 'deployed')).join(parts[0]);
}
